internal import HostModel

/// Whether QEMU's other threads keep off the CPUs of the vCPUs.
struct OtherThreadsCheck: DomainCheck {
  static let name = "other-threads"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    guard domain.oneCPUEach != nil else { return [] }
    let own = domain.vcpuCPUs
    let rest = host.topology.onlineCPUs.subtracting(own)
      .subtracting(host.domains.reduce(CPUList()) { $0.union($1.vcpuCPUs) })
    let policy = domain.policy.pins
    var findings: [Finding] = []
    let emulator = domain.domain.emulatorPin ?? policy.emulator
    if let emulator, !emulator.isDisjoint(with: own) {
      findings.append(
        finding(
          "QEMU's emulator thread", "emulator on \(emulator)", own, domain,
          fix: domain.domain.emulatorPin == nil
            ? "pins.emulator = \"\(rest)\" in its policy" : "<emulatorpin cpuset='\(rest)'/>"))
    }
    if emulator == nil, !domain.isIsolated {
      findings.append(
        finding(
          "QEMU's emulator thread", "no pin for the emulator", own, domain,
          fix: domain.domain.hypervisor == .libvirt
            ? "<emulatorpin cpuset='\(rest)'/>" : "pins.emulator = \"\(rest)\" in its policy"))
    }
    for id in domain.domain.iothreadIDs {
      guard let cpus = domain.domain.iothreadPins[id] ?? policy.iothreads[id],
        !cpus.isDisjoint(with: own)
      else { continue }
      findings.append(
        finding(
          "iothread \(id)", "iothread \(id) on \(cpus)", own, domain,
          fix: domain.domain.iothreadPins[id] == nil
            ? "pins.iothreads in its policy: \"\(rest)\""
            : "<iothreadpin iothread='\(id)' cpuset='\(rest)'/>"))
    }
    return findings
  }

  private func finding(
    _ thread: String, _ seen: String, _ own: CPUList, _ domain: ExaminedDomain, fix: String
  ) -> Finding {
    Finding(
      .warning, "\(thread) of \(domain.domain.name) may run on CPUs of its vCPUs",
      evidence: [Evidence(domain.file, seen), domain.pinEvidence],
      consequence: "a vCPU waits while QEMU serves a disk or a network card", fix: fix)
  }
}
