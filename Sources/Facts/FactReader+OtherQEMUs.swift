internal import Bytes
internal import Formats
package import HostModel
internal import Port

extension FactReader {
  /// The QEMUs of libvirt and Proxmox that run besides a domain's own, and are pinned, whoever pinned them
  /// and whether or not their hypervisor calls Berth.
  ///
  /// One that cannot be looked at keeps nobody's plan from being made.
  package func otherQEMUs(than domain: Domain) throws(HostError) -> [PinnedQEMU] {
    var found: [PinnedQEMU] = []
    for candidate in try GuestReader(kernel: kernel).candidates() {
      let isSame =
        candidate.hypervisor == domain.hypervisor
        && candidate.name.isSame(as: domain.vmid ?? domain.name)
      if isSame { continue }
      let pinned = processes.skippingFailure { () throws(HostError) in try pins(of: candidate) }
      if let pinned { found.append(pinned) }
    }
    return found
  }

  /// What the threads of a domain's QEMU are pinned to; nil where none runs, or none is pinned.
  private func pins(of domain: Domain) throws(HostError) -> PinnedQEMU? {
    guard let process = try ProcessReader(kernel: kernel).qemu(of: domain) else { return nil }
    let everything = try cpusOfScope(of: process)
    var found = PinnedQEMU(hypervisor: domain.hypervisor, name: domain.name)
    for name in try kernel.entriesIfPresent(of: "/proc/\(process.pid)/task").sorted() {
      guard let tid = Quantity.process.number(name) else { continue }
      try kernel.ifPresent { () throws(HostError) in
        // Most threads of most QEMUs are not: of them no more has to be known.
        let cpus = try kernel.affinity(of: tid)
        if everything.isSubset(of: cpus) { return }
        let path: HostPath = "/proc/\(process.pid)/task/\(tid)/stat"
        guard let stat = try ProcessReader(kernel: kernel).stat(at: path) else { return }
        if case .vcpu = ThreadReader.role(of: stat.name) {
          found.vcpuCPUs = found.vcpuCPUs.union(cpus)
        } else if !found.otherPins.contains(cpus) {
          found.otherPins.append(cpus)
        }
      }
    }
    return found.vcpuCPUs.isEmpty && found.otherPins.isEmpty ? nil : found
  }

  /// What the group lets a QEMU use that systemd made for it: a list there is no pin of its own, as it may
  /// be one that keeps everybody off another domain's CPUs.
  private func cpusOfScope(of process: ProcessIdentity) throws(HostError) -> CPUList {
    let version = try kernel.version()
    let scope = try QEMUReader(
      kernel: kernel, version: version, monitor: nil, processes: processes
    ).scope(of: process)
    return try TaskReader(kernel: kernel, version: version, processes: processes)
      .effectiveCPUs(of: scope ?? "")
  }
}
