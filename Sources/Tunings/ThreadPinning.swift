package import HostModel

/// Pins the threads of a domain that its configuration leaves free and policy does not.
///
/// libvirt pins what the XML pins, in cgroups of its own and again whenever it pleases, so Berth
/// stands back there. What policy adds is done once QEMU runs, as libvirt resets every thread's
/// affinity before that (src/qemu/qemu_process.c, `qemuProcessSetupPid`).
struct ThreadPinning: Tuning {
  static let name = "thread-pinning"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.policy.pins != Policy.Pins() else { return needs }
    needs.cpus = true
    needs.process = isAfterStart(request.phase)
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    if request.phase == .prepare { plan.warnings += unreachable(request, host) }
    guard isAfterStart(request.phase), let process = host.process else { return plan }
    if let reason = process.rolesAreGuessed, request.policy.pins != Policy.Pins() {
      plan.warnings.append(
        "the threads of \(request.domain.name) are told apart by their names only: \(reason)")
    }
    plan.warnings += unexpected(request)
    for facts in process.threads {
      guard let (cpus, reason) = pin(of: facts.thread.role, request) else { continue }
      plan.changes.append(
        Change(.affinity(facts.thread), .exactly(.cpus(cpus)), because: reason))
    }
    return plan
  }

  /// That other vCPUs run than the configuration tells of, and what becomes of them.
  private func unexpected(_ request: Request) -> [String] {
    guard let expected = request.expectedVCPUs else { return [] }
    let pins = request.placement.pins
    let left = CPUList(pins.filter { $0.cpus == nil }.map(\.vcpu))
    return [
      "\(request.domain.name) runs \(counted(pins.count, "vCPU")), its configuration has \(expected): "
        + (left.isEmpty ? "each is pinned" : "vCPUs \(left) are not pinned")
    ]
  }

  /// The CPUs of a thread by policy, and why; nil where the configuration decides or nobody does.
  private func pin(of role: ThreadRole, _ request: Request) -> (CPUList, String)? {
    let (domain, pins) = (request.domain, request.policy.pins)
    let isDivided = request.policy.pinsAutomatically && domain.proxmox?.affinity != nil
    let source = isDivided ? "its share of affinity" : "policy"
    switch role {
    case .vcpu(let id):
      guard domain.vcpuPins[id] == nil, let cpus = pins.vcpus[id] else { return nil }
      return (cpus, "\(source) pins vCPU \(id) of \(domain.name)")
    case .iothread(let id):
      guard domain.iothreadPins[id] == nil, let cpus = pins.iothreads[id] else { return nil }
      return (cpus, "\(source) pins iothread \(id) of \(domain.name)")
    case .emulator, .vhost, .worker:
      guard domain.emulatorPin == nil, let cpus = pins.emulator else { return nil }
      return (cpus, "\(source) pins the emulator of \(domain.name)")
    case .foreign: return nil
    }
  }

  /// Pins that the kernel would refuse, as no CPU of theirs is online (sched_setaffinity(2)).
  private func unreachable(_ request: Request, _ host: HostFacts) -> [String] {
    let pins = request.policy.pins
    var lists: [(String, CPUList)] = []
    for vcpu in pins.vcpus.keys.sorted() { lists.append(("vCPU \(vcpu)", pins.vcpus[vcpu] ?? [])) }
    for id in pins.iothreads.keys.sorted() {
      lists.append(("iothread \(id)", pins.iothreads[id] ?? []))
    }
    if let emulator = pins.emulator { lists.append(("the emulator", emulator)) }
    return lists.filter { $0.1.isDisjoint(with: host.onlineCPUs) }.map {
      "policy pins \($0.0) of \(request.domain.name) to CPUs \($0.1), and none of them is online"
    }
  }
}

/// Whether QEMU and its threads are there in a phase.
package func isAfterStart(_ phase: Phase) -> Bool { phase == .started || phase == .reconnect }
