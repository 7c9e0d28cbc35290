internal import Bytes
internal import HostModel
internal import Port

/// `AllowedCPUs=` of a unit, as it is in effect.
///
/// While any unit keeps the cpuset controller on, as libvirt's scopes do, systemd's property and
/// the kernel's `cpuset.cpus` part ways: emptying the property leaves the unit's tasks confined
/// (systemd issue 43846; on kernels before 7.0 an empty list is refused with `ENOSPC`). So an unset
/// property counts as unset only if the tasks really have all of the parent's CPUs.
struct UnitPlace: Place {
  let kernel: any Kernel
  let systemd: any Systemd
  /// Where the unit is below the cgroup mount; its last component is the unit's name.
  let path: String

  private static let mount: HostPath = "/sys/fs/cgroup"

  private var unit: String { path.fields(at: "/").last.map(String.init) ?? path }

  private var group: HostPath { "\(Self.mount)/\(below: path)" }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    // Of a scope that is over, systemd would make up a unit without any properties.
    if path.has("/"), !kernel.exists(group) {
      throw HostError(.read, group, errno: ErrorNumber.notFound.number)
    }
    let property = try systemd.allowedCPUs(of: unit, until: deadline)
    let dropIn = try systemd.hasRuntimeDropIn(of: unit)
    guard property.isEmpty, let effective = try effectiveCPUs(), effective != (try parentCPUs())
    else { return .allowedCPUs(AllowedCPUs(cpus: property, hasRuntimeDropIn: dropIn)) }
    return .allowedCPUs(AllowedCPUs(cpus: effective, hasRuntimeDropIn: dropIn))
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .allowedCPUs(let wanted) = value else { throw unsupported(value, at: unit) }
    if wanted.cpus.isEmpty {
      try widen(until: deadline)
      try systemd.setAllowedCPUs([], of: unit, until: deadline)
    } else {
      try systemd.setAllowedCPUs(wanted.cpus, of: unit, until: deadline)
      try waitForController(until: deadline)
      try wait(for: wanted.cpus.intersection(try parentCPUs()), until: deadline)
    }
    if !wanted.hasRuntimeDropIn { try systemd.removeRuntimeDropIn(of: unit) }
  }

  /// Gives the unit's tasks all CPUs while the kernel still has a list of theirs to change.
  private func widen(until deadline: Deadline) throws(HostError) {
    let text = try kernel.text(of: "/sys/devices/system/cpu/possible")
    let possible: CPUList
    do throws(CPUListError) {
      possible = try CPUList(parsing: text)
    } catch {
      throw HostError(.read, "/sys/devices/system/cpu/possible", diagnosis: "\(error)")
    }
    try systemd.setAllowedCPUs(possible, of: unit, until: deadline)
    try wait(for: try parentCPUs(), until: deadline)
  }

  /// Waits until the unit's group has a cpuset, which the first unit with a list turns on for all.
  private func waitForController(until deadline: Deadline) throws(HostError) {
    let controllers = try kernel.wordIfPresent(of: "\(Self.mount)/cgroup.controllers") ?? ""
    guard controllers.fields(at: " ").contains(where: { $0 == "cpuset" }) else { return }
    let patience = min(deadline, kernel.now.advanced(byMilliseconds: 200))
    while try effectiveCPUs() == nil, kernel.exists(group), kernel.now < patience {
      kernel.pause(milliseconds: 5)
    }
  }

  /// Waits until the unit's tasks have these CPUs: systemd answers before it writes to the kernel.
  private func wait(for cpus: CPUList, until deadline: Deadline) throws(HostError) {
    let patience = min(deadline, kernel.now.advanced(byMilliseconds: 2_000))
    var pause = 1
    while let effective = try effectiveCPUs(), effective != cpus {
      guard kernel.now < patience else {
        throw HostError(
          .write, "AllowedCPUs= of \(unit)", value: "\(cpus)", errno: ErrorNumber.timedOut.number,
          diagnosis: "its tasks still have CPUs \(effective)")
      }
      kernel.pause(milliseconds: pause)
      pause = min(pause * 2, 50)
    }
  }

  /// nil where the cpuset controller is off, so that nothing confines the unit.
  private func effectiveCPUs() throws(HostError) -> CPUList? {
    try list("\(group)/cpuset.cpus.effective")
  }

  /// Those of the nearest group above that has the controller on.
  private func parentCPUs() throws(HostError) -> CPUList {
    var parent = group.parent
    while parent != Self.mount, !parent.leadsNowhere {
      if let cpus = try list("\(parent)/cpuset.cpus.effective") { return cpus }
      parent = parent.parent
    }
    return try list("\(Self.mount)/cpuset.cpus.effective") ?? []
  }

  private func list(_ path: HostPath) throws(HostError) -> CPUList? {
    do throws(HostError) {
      let place = AttributePlace(kernel: kernel, path: path, format: .cpuList)
      guard case .cpus(let cpus) = try place.read(until: kernel.now) else { return nil }
      return cpus
    } catch  where ErrorNumber(error.errno) == .notFound {
      return nil
    }
  }
}
