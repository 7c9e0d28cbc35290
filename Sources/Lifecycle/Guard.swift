internal import Bytes
internal import HostModel
internal import Port

/// Sees to it that a domain's claims are given back even if its hypervisor never says that it left.
///
/// libvirt forgets a domain whose daemon is killed before the domain's status is on disk; Proxmox
/// calls nothing after a failed start, nor where a domain migrates away. So two transient units of
/// systemd stand by, each named after its holder: a timer from `prepare` on, for a domain that
/// never arrives, and a service bound to the domain's scope, for one that leaves without a word.
/// Both run `berth reconcile`, which finds out by itself who is gone.
struct Guard {
  let units: any TransientUnits
  /// The program that is to run.
  let program: String
  /// When all that is asked of systemd is over.
  let deadline: Deadline

  /// A little longer than a domain may take until its QEMU runs (`Liveness`).
  private static let arrivalSeconds = 660
  /// How often is looked whether a start under Proxmox has failed, which nobody else tells, and under
  /// libvirt once it is overdue.
  private static let startSeconds = 20

  /// Stands by for a domain that may never arrive; before anything is taken for it.
  func guardArrival(of holder: Holder) throws(HostError) {
    let name = Self.arrival(of: holder)
    var unit = TransientUnit(
      name: name + ".service", description: "Give back what \(holder.name) left if it never starts")
    let canTell = holder.id.hypervisor == .proxmox && holder.hook != nil
    unit.startsAfterSeconds = canTell ? Self.startSeconds : Self.arrivalSeconds
    unit.repeatsAfterSeconds = Self.startSeconds
    unit.start = [reconcile()]
    try startUnlessThere(unit)
  }

  /// Stands by for the end of a domain's scope, and no longer for its arrival.
  ///
  /// The unit is named after the QEMU, too: that of the domain's last run may still be on its way out.
  func guardScope(of holder: Holder, named scope: String) throws(HostError) {
    let name = Self.departure(of: holder) + ".service"
    guard try !units.state(of: name, until: deadline).isActive else { return }
    var unit = TransientUnit(name: name, description: "Give back what \(holder.name) leaves")
    unit.bindsTo = [scope]
    unit.after = [scope]
    unit.remainsAfterExit = true
    unit.hasDefaultDependencies = false
    // A service without any command of its own to start is refused.
    unit.start = [UnitCommand("/bin/true")]
    unit.stopPost = [reconcile()]
    unit.stopTimeoutSeconds = 120
    try startUnlessThere(unit)
  }

  /// Looks again when somebody has pinned a vCPU that has a partition of its own, for as long as the
  /// domain's scope is there.
  ///
  /// libvirt writes a pin into the vCPU's group, and nothing else where the kernel refuses it to the thread.
  func watchPins(of holder: Holder, in files: [String], within scope: String) throws(HostError) {
    var unit = TransientUnit(
      name: Self.pins(of: holder) + ".service",
      description: "Look at how the vCPUs of \(holder.name) are pinned")
    unit.bindsTo = [scope]
    unit.after = [scope]
    unit.watchedFiles = files
    unit.hasDefaultDependencies = false
    // libvirt has given the thread its CPUs by then, or not.
    unit.start = [UnitCommand("/bin/sleep", ["1"]), reconcile()]
    guard try !units.state(of: unit.startedName, until: deadline).isActive else { return }
    try startUnlessThere(unit)
  }

  /// Nobody has to wait for a domain any more that has arrived, or does not come.
  func removeArrival(of holder: Holder) throws(HostError) {
    try remove(Self.arrival(of: holder) + ".timer")
  }

  /// Takes those away that stand by for a domain that is not in, or for the arrival of one that is,
  /// unless the process still lives that they were named after and may be about to say so.
  ///
  /// Of one domain that has left only its own: it may be on its way in again. Who is in is asked last: a
  /// domain whose units are listed is on record by then, or the process has ended that took it off.
  func sweep(
    of id: HolderID? = nil, besides holders: () throws -> [Holder], isAlive: (Int) -> Bool
  ) throws {
    let names = id.map { Self.name($0) + "*" } ?? ""
    var orphans: [(name: String, stem: String)] = []
    for unit in try units.units(like: "berth-*\(names)", until: deadline)
    where unit.state.activity == .active {
      guard let stem = Self.stem(of: unit.name) else { continue }
      let pid = stem.fields(at: "-").last.flatMap { Int($0) }
      if !(pid.map(isAlive) ?? false) { orphans.append((unit.name, stem)) }
    }
    if orphans.isEmpty { return }
    let kept = try holders().flatMap { holder in
      holder.isIn ? [Self.departure(holder.id), Self.pins(holder.id)] : [Self.arrival(holder.id)]
    }
    for unit in orphans where !kept.contains(where: unit.stem.isNamed) { try remove(unit.name) }
  }

  /// The name of a unit that stands by for one domain, without its kind; nil for other units.
  private static func stem(of unit: String) -> String? {
    if let stem = unit.rest(before: ".timer"), stem.begins(with: ActiveGuard.arrival) {
      return String(stem)
    }
    if let stem = unit.rest(before: ".service"), stem.begins(with: ActiveGuard.departure) {
      return String(stem)
    }
    if let stem = unit.rest(before: ".path"), stem.begins(with: ActiveGuard.pins) {
      return String(stem)
    }
    return nil
  }

  /// Looks again and again for what nobody calls Berth for, such as the interrupts that a guest's
  /// driver makes.
  func startTimer() throws(HostError) {
    var unit = TransientUnit(name: Self.following + ".service", description: Self.purpose)
    unit.startsAfterSeconds = Self.firstLookSeconds
    unit.repeatsAfterSeconds = Self.lookSeconds
    unit.start = [reconcile()]
    guard try !units.state(of: unit.timerName, until: deadline).isActive else { return }
    try startUnlessThere(unit)
  }

  func stopTimer() throws(HostError) { try remove(Self.following + ".timer") }

  /// Tries once more what could not be given back, after a pause that doubles with each attempt.
  ///
  /// An attempt is part of its units' names, as the service that makes them still runs itself.
  func startRetry(after attempt: Int) throws(HostError) {
    let waiting = try units.waitingUnits(like: ActiveGuard.retry + "*.timer", until: deadline)
    if waiting.contains(where: { $0.elapses != nil }) { return }
    let next = min(max(0, attempt), Self.attemptsMax) + 1
    var unit = TransientUnit(
      name: "\(ActiveGuard.retry)\(next).service", description: Self.retryPurpose)
    unit.startsAfterSeconds = Self.firstPauseSeconds << min(next - 1, Self.doublings)
    unit.start = [reconcile(["--attempt", "\(next)"])]
    try startUnlessThere(unit)
  }

  /// Nothing is left to be tried again, whichever attempt is waited for.
  func stopRetry() throws(HostError) {
    for unit in try units.units(like: ActiveGuard.retry + "*.timer", until: deadline)
    where unit.state.activity == .active {
      try remove(unit.name)
    }
  }

  private static let retryPurpose = "Give back what could not be given back yet"
  private static let firstPauseSeconds = 10
  /// Up to 43 minutes.
  private static let doublings = 8
  private static let attemptsMax = 1_000_000

  private static let following = ActiveGuard.following
  private static let purpose = "Settle what comes while virtual machines run"
  /// A guest's drivers come some seconds after its kernel, and again with each of its boots.
  private static let firstLookSeconds = 10
  private static let lookSeconds = 30

  private func remove(_ unit: String) throws(HostError) {
    do throws(HostError) {
      try units.stopUnit(unit, until: deadline)
    } catch  where ErrorNumber(error.errno) == .notFound {
      return
    }
  }

  /// The guards that stand by, in the order of their names.
  func active(at now: Deadline) throws(HostError) -> [ActiveGuard] {
    var found: [ActiveGuard] = []
    for unit in try units.waitingUnits(like: "berth-*", until: deadline) {
      if let guardian = ActiveGuard(unit, at: now) { found.append(guardian) }
    }
    return found
  }

  private func reconcile(_ arguments: [String] = []) -> UnitCommand {
    UnitCommand(program, ["reconcile"] + arguments)
  }

  /// Makes a unit that nobody else has made in the meantime.
  private func startUnlessThere(_ unit: TransientUnit) throws(HostError) {
    var unit = unit
    unit.isConfined = true
    do throws(HostError) {
      try units.startTransientUnit(unit, until: deadline)
    } catch  where ErrorNumber(error.errno) == .exists {
      return
    }
  }

  private static func name(_ id: HolderID) -> String {
    "\(id.hypervisor.rawValue)-\(OwnService.unitPart(id.id))"
  }

  private static func arrival(_ id: HolderID) -> String {
    ActiveGuard.arrival + name(id)
  }

  private static func departure(_ id: HolderID) -> String {
    ActiveGuard.departure + name(id)
  }

  private static func pins(_ id: HolderID) -> String {
    ActiveGuard.pins + name(id)
  }

  private static func pins(of holder: Holder) -> String {
    pins(holder.id) + (holder.process.map { "-\($0.pid)" } ?? "")
  }

  private static func arrival(of holder: Holder) -> String {
    arrival(holder.id) + (holder.hook.map { "-\($0.pid)" } ?? "")
  }

  private static func departure(of holder: Holder) -> String {
    departure(holder.id) + (holder.process.map { "-\($0.pid)" } ?? "")
  }
}

extension String {
  /// Whether a unit's name is that of a domain, or that with a process behind it.
  fileprivate func isNamed(after name: String) -> Bool { self == name || begins(with: name + "-") }
}
