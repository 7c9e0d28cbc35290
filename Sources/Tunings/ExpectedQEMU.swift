package import HostModel

extension QEMUFacts {
  /// The QEMU that a domain will have, as far as its configuration tells: for plans of domains
  /// that do not run.
  ///
  /// Threads have the number 0, and the names of cgroups are what libvirt gives to a first start.
  package static func expected(for domain: Domain) -> QEMUFacts {
    var facts = QEMUFacts(identity: ProcessIdentity(pid: 0, startTime: 0))
    var roles: [ThreadRole] = [.emulator]
    roles += (0..<domain.vcpus).map(ThreadRole.vcpu)
    roles += domain.iothreadIDs.map(ThreadRole.iothread)
    facts.threads = roles.map { role in
      ThreadFacts(
        thread: HostThread(pid: 0, tid: 0, startTime: 0, role: role), name: "", affinity: [],
        scheduler: ThreadScheduler(policy: 0, priority: 0, resetsOnFork: false))
    }
    facts.canPartition = true
    guard domain.hypervisor == .libvirt else {
      facts.scope = "qemu.slice/\(domain.id ?? "VMID").scope"
      return facts
    }
    let scope = "machine.slice/machine-qemu\\x2dN\\x2d\(domain.name).scope"
    facts.scope = scope
    for vcpu in 0..<domain.vcpus { facts.vcpuGroups[vcpu] = "\(scope)/libvirt/vcpu\(vcpu)" }
    return facts
  }
}
