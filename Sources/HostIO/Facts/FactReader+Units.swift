import HostModel

extension FactReader {
  /// The units that hold the host's own tasks, as far as the host has them.
  ///
  /// The kernel's threads live in the root cgroup and domains in slices of their own. Of PID 1's
  /// own scope there is no unit file: it is `init.scope` wherever systemd runs.
  func units() throws(HostError) -> [UnitFacts] {
    var units: [UnitFacts] = []
    for name in ["init.scope", "system.slice", "user.slice"] {
      let group = "/sys/fs/cgroup/\(name)"
      let isThere = try kernel.ifPresent { () throws(HostError) in try kernel.entries(of: group) }
      if isThere != nil { units.append(UnitFacts(name: name)) }
    }
    return units
  }
}
