internal import HostModel

/// Whether libvirt finds a mount of hugetlbfs for each size of huge pages that a domain asks for.
///
/// It looks for them when its daemon starts (`virFileFindHugeTLBFS()` in src/util/virfile.c).
/// Proxmox mounts what it needs by itself.
struct HugetlbfsCheck: HostCheck {
  static let name = "hugetlbfs"

  func findings(on host: ExaminedHost) -> [Finding] {
    var missing: [(pageKiB: Int, domains: [String])] = []
    for domain in host.domains where domain.domain.hypervisor == .libvirt {
      if domain.machine.usesMemfd { continue }
      for size in domain.hugepageSizes {
        let size = size == 0 ? host.installation.defaultHugepageKiB ?? 0 : size
        if size == 0 || host.installation.hugetlbfsKiB.contains(size) { continue }
        if let index = missing.firstIndex(where: { $0.pageKiB == size }) {
          missing[index].domains.append(domain.domain.name)
        } else {
          missing.append((size, [domain.domain.name]))
        }
      }
    }
    return missing.map { finding($0.pageKiB, $0.domains, host.installation) }
  }

  private func finding(
    _ pageKiB: Int, _ domains: [String], _ installation: InstallationFacts
  ) -> Finding {
    let size = PageSize(kiB: pageKiB)
    let word = pageKiB >= 1 << 20 ? "\(pageKiB >> 20)G" : "\(pageKiB >> 10)M"
    let mounted = installation.hugetlbfsKiB.map { "\(PageSize(kiB: $0))" }
    return Finding(
      .error, "hugetlbfs is not mounted for pages of \(size)",
      evidence: [
        Evidence(
          "/proc/mounts",
          mounted.isEmpty ? "no hugetlbfs" : "for \(mounted.joined(separator: ", "))")
      ],
      consequence: "libvirt does not start \(domains.joined(separator: ", ")): it finds no usable "
        + "hugetlbfs mount",
      fix: "echo 'hugetlbfs /dev/hugepages\(word) hugetlbfs pagesize=\(word) 0 0' >> /etc/fstab && "
        + "mkdir -p /dev/hugepages\(word) && mount /dev/hugepages\(word) && "
        + "systemctl restart \(installation.libvirtDaemon)")
  }
}
