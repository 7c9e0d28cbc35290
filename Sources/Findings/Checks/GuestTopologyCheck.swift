internal import HostModel

/// Whether the cores that a guest believes in are the cores that its vCPUs are on.
///
/// QEMU makes vCPUs into cores in their order: of two threads each, vCPU 0 and 1 are the first.
struct GuestTopologyCheck: DomainCheck {
  static let name = "guest-topology"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    var findings: [Finding] = []
    if let cpus = domain.oneCPUEach {
      let threads = threads(of: domain)
      findings += [mismatch(cpus, threads, domain, host), hidden(threads, domain, host)]
        .compactMap { $0 }
    }
    if let sockets = sockets(domain) { findings.append(sockets) }
    return findings
  }

  private func threads(of domain: ExaminedDomain) -> Int {
    max(1, domain.policy.guestThreads ?? domain.machine.topology?.threads ?? 1)
  }

  private func mismatch(
    _ cpus: [Int], _ threads: Int, _ domain: ExaminedDomain, _ host: ExaminedHost
  ) -> Finding? {
    let cores = host.topology.cores
    func core(of vcpu: Int) -> Int? { cores.firstIndex { $0.contains(cpus[vcpu]) } }
    let groups = stride(from: 0, to: cpus.count, by: threads).map { first in
      Set((first..<min(first + threads, cpus.count)).map { core(of: $0) })
    }
    let ordered = cores.flatMap { $0.intersection(CPUList(cpus)) }
    let widest = cores.map { $0.intersection(CPUList(cpus)).count }.max() ?? 1
    if threads > 1, groups.contains(where: { $0.count > 1 }) {
      return Finding(
        .warning,
        "\(domain.domain.name) takes vCPUs for threads of one core that are on different cores",
        evidence: evidence(domain, threads),
        consequence:
          "its scheduler keeps work off a “busy” core that is idle, and the other way round",
        fix: widest == threads
          ? pins(ordered, domain)
          : apart(cpus.count, domain) + ", as the VM has no core as a whole")
    }
    guard threads == 1, widest > 1 else { return nil }
    let count = cpus.count / widest
    return Finding(
      .warning, "\(domain.domain.name) sees two threads of a core as two cores",
      evidence: evidence(domain, threads),
      consequence: "its scheduler puts two busy tasks on one core while another is idle",
      fix: topology(cores: count, threads: widest, domain)
        + (ordered == cpus ? "" : "; and \(pins(ordered, domain))"))
  }

  private func evidence(_ domain: ExaminedDomain, _ threads: Int) -> [Evidence] {
    let told = domain.machine.topology.map {
      "sockets=\($0.sockets) dies=\($0.dies) cores=\($0.cores) threads=\($0.threads)"
    }
    return [
      Evidence(domain.file, told ?? "no topology, so one thread a core"), domain.pinEvidence,
    ]
  }

  private func topology(cores: Int, threads: Int, _ domain: ExaminedDomain) -> String {
    guard domain.domain.hypervisor == .proxmox else {
      return "<topology sockets='1' dies='1' cores='\(cores)' threads='\(threads)'/> in <cpu>"
    }
    let count = cores * threads
    // Without the last, Proxmox's own would count.
    let value = "\(count),sockets=1,cores=\(cores),threads=\(threads),maxcpus=\(count)"
    return QEMUArguments(domain.domain.proxmox?.arguments).setting("smp", to: value)
      .command(for: domain.commandName)
  }

  /// The line that makes each vCPU a core.
  private func apart(_ vcpus: Int, _ domain: ExaminedDomain) -> String {
    domain.domain.hypervisor == .libvirt
      ? "threads='1' in <topology>" : topology(cores: vcpus, threads: 1, domain)
  }

  /// `-cpu` in `args` takes the place of Proxmox's own, with all that that says.
  private func threadFlag(_ domain: ExaminedDomain) -> String {
    let arguments = QEMUArguments(domain.domain.proxmox?.arguments)
    let vmid = domain.commandName
    guard let cpu = arguments.values(of: "cpu").last else {
      return arguments.setting("cpu", to: "CPU,topoext=on").command(for: vmid)
        + ", with what “qm showcmd \(vmid)” has behind -cpu for CPU"
    }
    return arguments.setting("cpu", to: "\(cpu),topoext=on").command(for: vmid)
  }

  private func pins(_ cpus: [Int], _ domain: ExaminedDomain) -> String {
    guard domain.domain.hypervisor == .libvirt else {
      return "pins.vcpus = [\(cpus.map { "\"\($0)\"" }.joined(separator: ", "))] in its policy"
    }
    return cpus.enumerated().map { "<vcpupin vcpu='\($0.offset)' cpuset='\($0.element)'/>" }
      .joined(separator: " ")
  }

  /// QEMU keeps `topoext` off unless it is asked for by name, and AMD's CPUs tell of threads by it
  /// (`no_autoenable_flags` in target/i386/cpu.c).
  private func hidden(
    _ threads: Int, _ domain: ExaminedDomain, _ host: ExaminedHost
  ) -> Finding? {
    guard threads > 1, host.topology.cpuVendor == .amd,
      !domain.machine.cpuFeatures.contains(where: { $0 == "topoext" })
    else { return nil }
    return Finding(
      .warning, "\(domain.domain.name) does not see which of its vCPUs share a core",
      evidence: [
        Evidence("/sys/devices/system/cpu/modalias", "CPUs of AMD"),
        Evidence(domain.file, "no topoext"),
      ],
      consequence: "on CPUs of AMD the guest ignores threads= without it",
      fix: domain.domain.hypervisor == .libvirt
        ? "<feature policy='require' name='topoext'/> in <cpu>"
        : threadFlag(domain))
  }

  private func sockets(_ domain: ExaminedDomain) -> Finding? {
    let sockets = domain.machine.topology?.sockets ?? domain.domain.vcpus
    guard domain.machine.isWindows, sockets > 2 else { return nil }
    return Finding(
      .warning, "\(domain.domain.name) is a Windows with \(sockets) CPU sockets",
      evidence: [
        Evidence(
          domain.file, domain.machine.topology == nil ? "no topology" : "sockets=\(sockets)")
      ],
      consequence: "Windows for clients uses the CPUs of one or two sockets only",
      fix: topology(cores: domain.domain.vcpus, threads: 1, domain))
  }
}
