internal import Bytes
package import HostModel
internal import Port

/// The systemd of a recorded host.
///
/// It keeps a property in the drop-in in which systemd keeps it, and hands the CPUs on to the
/// cgroup. As with systemd, that the kernel refused them is not an error of the call.
package struct RecordedSystemd: Systemd {
  let tree: RecordedTree
  let kernel: RecordedKernel

  /// The manager of a recorded host.
  package init(of kernel: RecordedKernel) {
    tree = kernel.tree
    self.kernel = kernel
  }

  /// Whether the manager takes calls and never answers one.
  package var isMute: Bool {
    get { kernel.hangs.isManagerMute }
    nonmutating set {
      kernel.hangs.isManagerMute = newValue
      kernel.hangs.isManagerKnownMute = false
    }
  }

  /// As long as somebody waits for the manager who asks it as `SystemBus` does, in milliseconds.
  private static let patience = 5_000
  private static let patienceWithTheMute = 500

  /// Waits for a manager that does not answer.
  func waitIfMute(_ unit: String, _ call: String, until deadline: Deadline) throws(HostError) {
    guard isMute else { return }
    let patience = kernel.hangs.isManagerKnownMute ? Self.patienceWithTheMute : Self.patience
    kernel.hangs.pass(until: min(deadline, kernel.now.advanced(byMilliseconds: patience)))
    kernel.hangs.isManagerKnownMute = true
    throw HostError(.call, unit, value: call, errno: ErrorNumber.timedOut.number)
  }

  package func allowedCPUs(of unit: String, until deadline: Deadline) throws(HostError) -> CPUList {
    try waitIfMute(unit, "AllowedCPUs=", until: deadline)
    _ = try group(of: unit, for: .read)
    let path = dropIn(of: unit)
    guard tree.exists(path) else { return [] }
    // An empty assignment takes back those before it.
    var cpus = CPUList()
    for line in try tree.text(of: path).lines {
      guard let value = line.rest(after: "AllowedCPUs=") else { continue }
      guard let more = try? CPUList(parsing: value.fields(at: " ").joined(separator: ","))
      else { throw HostError(.read, path, diagnosis: "“\(line)” is not a list of CPUs") }
      cpus = more.isEmpty ? [] : cpus.union(more)
    }
    return cpus
  }

  package func setAllowedCPUs(
    _ cpus: CPUList, of unit: String, until deadline: Deadline
  ) throws(HostError) {
    try waitIfMute(unit, "AllowedCPUs=\(cpus)", until: deadline)
    let group = try group(of: unit, for: .write)
    let section =
      unit.ends(with: ".slice") ? "Slice" : unit.ends(with: ".scope") ? "Scope" : "Service"
    // An unset property leaves a file with two empty assignments behind.
    try tree.create(
      """
      # This is a drop-in unit file extension, created via "systemctl set-property"
      # or an equivalent operation. Do not edit.
      [\(section)]
      AllowedCPUs=
      AllowedCPUs=\(cpus)

      """, at: dropIn(of: unit))
    let path: HostPath = "\(group)/cpuset.cpus"
    if !tree.exists(path) { return }
    do {
      try kernel.write("\(cpus)\n", to: path)
    } catch {
      // systemd logs the refusal, and answers the caller that the property is set.
      return
    }
  }

  package func hasRuntimeDropIn(of unit: String) throws(HostError) -> Bool {
    tree.exists(dropIn(of: unit))
  }

  package func removeRuntimeDropIn(of unit: String) throws(HostError) {
    let path = dropIn(of: unit)
    guard tree.exists(path) else { return }
    try tree.remove(path)
    // Another property's drop-in keeps the folder.
    if try tree.entries(of: path.parent).isEmpty { try tree.remove(path.parent) }
  }

  package func reload(until deadline: Deadline) throws(HostError) {
    try waitIfMute("systemd", "Reload", until: deadline)
  }

  /// Where systemd keeps properties set at run time: beside the unit for one that has no file of
  /// its own (`init.scope` and other scopes), under `system.control` for the rest.
  private func dropIn(of unit: String) -> HostPath {
    let folder = unit.ends(with: ".scope") ? "transient" : "system.control"
    return "/run/systemd/\(folder)/\(unit).d/50-AllowedCPUs.conf"
  }

  /// The cgroup of a unit, somewhere below its slice.
  func group(
    of unit: String, for operation: HostOperation
  ) throws(HostError) -> HostPath {
    if let group = try search(unit, below: CPUSets.root) { return group }
    throw HostError(operation, unit, errno: ErrorNumber.notFound.number)
  }

  private func search(_ unit: String, below group: HostPath) throws(HostError) -> HostPath? {
    if tree.exists("\(group)/\(unit)/cgroup.procs") { return "\(group)/\(unit)" }
    guard tree.exists(group) else { return nil }
    for name in try tree.entries(of: group) where name.ends(with: ".slice") {
      if let found = try search(unit, below: "\(group)/\(name)") { return found }
    }
    return nil
  }
}
