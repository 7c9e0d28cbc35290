internal import HostModel

/// Whether a large VM is on ordinary pages.
struct OrdinaryPagesCheck: DomainCheck {
  static let name = "ordinary-pages"

  /// Below that, what a guest works on mostly fits what the TLB reaches.
  private static let leastKiB = 8 << 20

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    let memory = domain.domain.cells.filter { $0.pageKiB == nil }.reduce(0) { $0 &+ $1.memoryKiB }
    guard memory >= Self.leastKiB, domain.hugepageSizes.isEmpty, host.defaultPageKiB > 0 else {
      return []
    }
    return [
      Finding(
        .note,
        "\(domain.domain.name) has \(MemorySize(kiB: memory)) on ordinary pages",
        evidence: [Evidence(domain.file, "no huge pages are asked for")],
        consequence:
          "each miss of the TLB walks two page tables, and the host may swap, merge or move "
          + "its memory",
        fix: domain.domain.hypervisor == .libvirt
          ? "<memoryBacking><hugepages/></memoryBacking>"
          : "qm set \(domain.commandName) --numa 1 --hugepages \(host.defaultPageKiB >> 10)")
    ]
  }
}
