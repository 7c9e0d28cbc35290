internal import HostModel

/// What the kernel does to the memory of domains behind their backs: swaps it out, merges it, or
/// takes it away for a moment to see who uses it.
///
/// Huge pages of a pool are spared all of it, and what VFIO has pinned for a device.
struct MemoryHabitsCheck: HostCheck {
  static let name = "memory-habits"

  func findings(on host: ExaminedHost) -> [Finding] {
    let exposed = host.domains.filter { domain in
      domain.isTuned && domain.hugepageSizes.isEmpty && domain.passedFunctions.isEmpty
        && !domain.machine.locksMemory
    }
    guard !exposed.isEmpty else { return [] }
    let names = exposed.map(\.domain.name).joined(separator: ", ")
    let installation = host.installation
    var findings: [Finding] = []
    if !installation.swaps.isEmpty {
      findings.append(
        Finding(
          .warning, "the host may swap out memory of \(names)",
          evidence: [Evidence("/proc/swaps", installation.swaps.joined(separator: ", "))],
          consequence: "a vCPU that needs such a page waits for the disk",
          fix: "<memoryBacking><hugepages/></memoryBacking> in the domain XML (Proxmox: numa: 1, "
            + "hugepages: 2), or <locked/> in the same place, or swapoff -a"))
    }
    if installation.ksm == "1" {
      findings.append(
        Finding(
          .warning, "KSM merges memory of \(names) with that of others",
          evidence: [Evidence("/sys/kernel/mm/ksm/run", "1")],
          consequence:
            "a write to a merged page waits for a copy, which may come from another node",
          fix: "settings = { \"/sys/kernel/mm/ksm/run\" = 0 } in the VM's policy, or "
            + "<nosharepages/> in <memoryBacking> (Proxmox: allow-ksm: 0)"))
    }
    let pinned = exposed.filter { !$0.pins.isEmpty }.map(\.domain.name)
    if let balancing = installation.numaBalancing, balancing != "0", !pinned.isEmpty,
      host.topology.nodes.count > 1
    {
      findings.append(
        Finding(
          .note, "the kernel looks where \(pinned.joined(separator: ", ")) use their memory",
          evidence: [Evidence("/proc/sys/kernel/numa_balancing", balancing)],
          consequence: "each look costs page faults, for threads that cannot move anyway",
          fix:
            "settings = { \"kernel.numa_balancing\" = 0 } in the VM's policy; or huge pages, "
            + "which it leaves alone"))
    }
    return findings
  }
}
