internal import Bytes
package import HostModel
internal import Port

extension FactReader {
  static let cpus: HostPath = "/sys/devices/system/cpu"

  /// The SMT siblings among these CPUs, as far as they are online: no more is read than about them.
  package func cores(of cpus: CPUList) throws(HostError) -> [CPUList] {
    try cores(among: try onlineCPUs().intersection(cpus))
  }

  func readCPUs(into facts: inout HostFacts) throws(HostError) {
    facts.onlineCPUs = try onlineCPUs()
    let possible: HostPath = "\(Self.cpus)/possible"
    facts.possibleCPUs =
      try kernel.ifPresent { () throws(HostError) in try kernel.list(of: possible) }
      ?? facts.onlineCPUs
  }

  /// The SMT siblings of each core, ascending by their first CPU.
  ///
  /// An offline CPU has no `topology/` and is in no core. A CPU whose topology the kernel does not
  /// tell is a core of its own.
  func cores(among online: CPUList) throws(HostError) -> [CPUList] {
    var cores: [CPUList] = []
    var seen = CPUList()
    for cpu in online where !seen.contains(cpu) {
      let path: HostPath = "\(Self.cpus)/cpu\(cpu)/topology/thread_siblings"
      let told = try kernel.listIfPresent(of: "\(path)_list", orMask: path)
      let siblings = (told ?? []).union([cpu]).intersection(online).subtracting(seen)
      cores.append(siblings)
      seen = seen.union(siblings)
    }
    return cores
  }

  private func onlineCPUs() throws(HostError) -> CPUList {
    let path: HostPath = "\(Self.cpus)/online"
    if let list = try kernel.ifPresent({ () throws(HostError) in try kernel.list(of: path) }) {
      return list
    }
    // Records of old hosts lack the list. There, a CPU that cannot go offline has no `online`.
    var online = CPUList()
    for name in try kernel.entriesIfPresent(of: Self.cpus) {
      guard let cpu = Quantity.cpu.number(in: name, after: "cpu") else { continue }
      let state = try kernel.wordIfPresent(of: "\(Self.cpus)/\(name)/online")
      if state != "0" { online.insert(cpu) }
    }
    return online
  }
}
