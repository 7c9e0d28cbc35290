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
  /// How often is looked whether a start under Proxmox has failed, which nobody else tells.
  private static let startSeconds = 20

  /// Stands by for a domain that may never arrive.
  func guardArrival(of holder: Holder) throws(HostError) {
    let name = Self.arrival(holder.id)
    try remove(name + ".timer")
    var unit = TransientUnit(
      name: name + ".service", description: "Give back what \(holder.name) left if it never starts")
    let canTell = holder.id.hypervisor == .proxmox && holder.hook != nil
    unit.startsAfterSeconds = canTell ? Self.startSeconds : Self.arrivalSeconds
    unit.repeatsAfterSeconds = canTell ? Self.startSeconds : nil
    unit.start = [reconcile]
    do throws(HostError) {
      try units.startTransientUnit(unit, until: deadline)
    } catch  where ErrorNumber(error.errno) == .exists {
      // The timer of an earlier attempt is still being stopped; it does as well.
    }
  }

  /// Stands by for the end of a domain's scope.
  func guardScope(of holder: Holder, named scope: String) throws(HostError) {
    let name = Self.departure(holder.id) + ".service"
    guard try !units.state(of: name, until: deadline).isActive else { return }
    var unit = TransientUnit(name: name, description: "Give back what \(holder.name) leaves")
    unit.bindsTo = [scope]
    unit.after = [scope]
    unit.remainsAfterExit = true
    unit.hasDefaultDependencies = false
    // A service without any command of its own to start is refused.
    unit.start = [UnitCommand("/bin/true")]
    unit.stopPost = [reconcile]
    unit.stopTimeoutSeconds = 120
    try units.startTransientUnit(unit, until: deadline)
    try remove(Self.arrival(holder.id) + ".timer")
  }

  /// Looks again and again for what nobody calls Berth for, such as the interrupts that a guest's
  /// driver makes.
  func startTimer() throws(HostError) {
    var unit = TransientUnit(name: Self.following + ".service", description: Self.purpose)
    unit.startsAfterSeconds = Self.firstLookSeconds
    unit.repeatsAfterSeconds = Self.lookSeconds
    unit.start = [reconcile]
    guard try !units.state(of: unit.timerName, until: deadline).isActive else { return }
    do throws(HostError) {
      try units.startTransientUnit(unit, until: deadline)
    } catch  where ErrorNumber(error.errno) == .exists {
      // Another domain's event has just made it.
    }
  }

  func stopTimer() throws(HostError) { try remove(Self.following + ".timer") }

  private static let following = ActiveGuard.following
  private static let purpose = "Settle what comes while virtual machines run"
  /// A guest's drivers come some seconds after its kernel, and again with each of its boots.
  private static let firstLookSeconds = 10
  private static let lookSeconds = 30

  /// Takes both away; one that is not there is away already.
  func remove(_ id: HolderID) throws(HostError) {
    try remove(Self.arrival(id) + ".timer")
    try remove(Self.departure(id) + ".service")
  }

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
    for unit in try units.units(like: "berth-*", until: deadline) {
      if let guardian = ActiveGuard(unit, at: now) { found.append(guardian) }
    }
    return found
  }

  private var reconcile: UnitCommand { UnitCommand(program, ["reconcile"]) }

  private static func arrival(_ id: HolderID) -> String {
    "\(ActiveGuard.arrival)\(id.hypervisor.rawValue)-\(unitPart(id.id))"
  }

  private static func departure(_ id: HolderID) -> String {
    "\(ActiveGuard.departure)\(id.hypervisor.rawValue)-\(unitPart(id.id))"
  }

  /// What of an identity may be part of a unit's name; a UUID and a vmid are so as they are.
  private static func unitPart(_ id: String) -> String {
    String(
      String.UnicodeScalarView(
        id.unicodeScalars.prefix(64).map { scalar in
          scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            ? scalar : "-"
        }))
  }
}
