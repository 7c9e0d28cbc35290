package import HostModel

extension QEMUFacts {
  /// The QEMU that a domain will have, as far as its configuration tells: for plans of domains
  /// that do not run.
  ///
  /// Threads have the number 0, and the names of cgroups are what libvirt gives to a first start.
  package static func expected(for domain: Domain) -> QEMUFacts {
    var facts = QEMUFacts(identity: ProcessIdentity(pid: 0, startTime: 0))
    var roles: [ThreadRole] = [.emulator]
    roles += domain.onlineVCPUs.map(ThreadRole.vcpu)
    roles += domain.iothreadIDs.map(ThreadRole.iothread)
    facts.threads = roles.map { role in
      ThreadFacts(
        thread: HostThread(pid: 0, tid: 0, startTime: 0, role: role), name: "", affinity: [],
        scheduler: ThreadScheduler(policy: 0, priority: 0, resetsOnFork: false))
    }
    facts.canPartition = true
    guard domain.hypervisor == .libvirt else {
      facts.scope = "qemu.slice/\(domain.id ?? "VMID").scope"
      facts.home = facts.scope
      return facts
    }
    let scope = "machine.slice/machine-qemu\\x2dN\\x2d\(domain.name).scope"
    facts.scope = scope
    facts.home = scope
    for vcpu in domain.onlineVCPUs { facts.vcpuGroups[vcpu] = "\(scope)/libvirt/vcpu\(vcpu)" }
    let emulator = domain.emulatorPin ?? domain.commonPin ?? []
    facts.otherGroups = [ThreadGroupFacts(path: "\(scope)/libvirt/emulator", cpus: emulator)]
    facts.otherGroups += domain.iothreadIDs.map { id in
      ThreadGroupFacts(
        path: "\(scope)/libvirt/iothread\(id)",
        cpus: domain.iothreadPins[id] ?? domain.commonPin ?? [])
    }
    return facts
  }
}
