internal import HostModel

/// Whether a guest of Windows is told what it needs to spare itself emulated hardware.
///
/// Which there are: docs/system/i386/hyperv.rst of QEMU. Proxmox switches them on by `ostype`.
struct EnlightenmentsCheck: DomainCheck {
  static let name = "enlightenments"
  /// Timers, interrupts and locks, which every Windows uses.
  private static let needed = [
    "relaxed", "vapic", "spinlocks", "vpindex", "runtime", "synic", "stimer",
  ]
  /// Of use where there are many vCPUs.
  private static let useful = ["frequencies", "tlbflush", "ipi"]

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    let told = domain.machine.enlightenments
    guard domain.machine.isWindows, domain.domain.hypervisor == .libvirt else { return [] }
    let absent = { (names: [String]) in
      told.areAllOn ? [] : names.filter { !told.names.contains($0) }
    }
    let needed = absent(Self.needed)
    let missing = needed + absent(domain.domain.vcpus > 1 ? Self.useful : [])
    guard !missing.isEmpty || !told.hasClock else { return [] }
    let names = missing + (told.hasClock ? [] : ["hypervclock"])
    let switches = missing.map { name in
      name == "spinlocks" ? "<spinlocks state='on' retries='8191'/>" : "<\(name) state='on'/>"
    }
    var fix: [String] = []
    if !switches.isEmpty {
      fix.append("<features><hyperv>\(switches.joined())</hyperv></features>")
    }
    if !told.hasClock { fix.append("<clock …><timer name='hypervclock' present='yes'/></clock>") }
    return [
      Finding(
        needed.isEmpty && told.hasClock ? .note : .warning,
        "\(domain.domain.name) (Windows) lacks these Hyper-V enlightenments: \(names.joined(separator: ", "))",
        evidence: [
          Evidence(
            domain.file,
            told.names.isEmpty
              ? "no <hyperv>" : "<hyperv> with " + told.names.sorted().joined(separator: ", "))
        ],
        consequence:
          "it reads emulated timers and interrupts instead, which makes QEMU step in often",
        fix: fix.joined(separator: " and "))
    ]
  }
}
