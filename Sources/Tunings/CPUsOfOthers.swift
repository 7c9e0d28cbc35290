internal import Bytes
internal import HostModel

/// Foresees a start that the kernel refuses, as all CPUs of a pin are another domain's alone.
///
/// Hypervisors pin their threads by `sched_setaffinity`, which is `EINVAL` where no CPU is left within the
/// cpuset that the thread is in (kernel/sched/syscalls.c, `__sched_setaffinity()`; kernel/sched/core.c
/// before 6.11), and end the start with “Invalid argument”. What an isolated partition has is in no other
/// group's `cpuset.cpus.effective`, whoever made it.
///
/// It is foreseen for a domain that policy does nothing else for, too: what stands in its way is Berth's.
struct CPUsOfOthers: Tuning {
  static let name = "cpus-of-others"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.phase == .prepare, !request.domain.hardPins.isEmpty else { return needs }
    needs.attributes = Self.places(under: request.domain.hypervisor)
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare, let allowed = allowed(request, host) else { return plan }
    for (thread, cpus) in request.domain.hardPins where cpus.isDisjoint(with: allowed) {
      let holders = host.neighbours.filter { !$0.isolatedCPUs.isDisjoint(with: cpus) }
      guard !holders.isEmpty, holders.allSatisfy(\.yields) else {
        plan.refusals.append(
          Refusal(sentence(about: thread, cpus, request, host), fix: fix(request, allowed)))
        continue
      }
      for holder in holders {
        plan.concessions.append(Concession(by: holder.holder, of: cpus))
        plan.warnings.append(
          "\(holder.name) gives back CPU \(cpus), which it has to itself, as \(thread) of "
            + "\(request.domain.name) is pinned there (cpu.contested = \"yield\")")
      }
    }
    return plan
  }

  /// The group that a hypervisor puts its domains in, which may not be there before the first of them,
  /// and the one above it.
  private static func places(under hypervisor: Hypervisor) -> [String] {
    let slice = hypervisor == .proxmox ? "qemu.slice" : "machine.slice"
    return ["/\(slice)", ""].map { "/sys/fs/cgroup\($0)/cpuset.cpus.effective" }
  }

  /// The CPUs that the domain's threads may be given; nil where the kernel does not tell.
  private func allowed(_ request: Request, _ host: HostFacts) -> CPUList? {
    for place in Self.places(under: request.domain.hypervisor) {
      let text = host.attributes.first { $0.asked == place }?.text
      if let cpus = text.flatMap({ try? CPUList(parsing: $0) }), !cpus.isEmpty { return cpus }
    }
    return nil
  }

  /// The line that gives a machine of Proxmox's CPUs that it may have; of libvirt's, the sentence says
  /// enough.
  private func fix(_ request: Request, _ allowed: CPUList) -> String? {
    guard request.domain.hypervisor == .proxmox else { return nil }
    let name = request.domain.commandName
    return "qm set \(name) --affinity \(allowed), or some of these: berth advise \(name) says "
      + "which are free"
  }

  private func sentence(
    about thread: String, _ cpus: CPUList, _ request: Request, _ host: HostFacts
  ) -> String {
    let holder = host.neighbours.first { !$0.isolatedCPUs.isDisjoint(with: cpus) }
    let owner =
      holder.map { "which \($0.name) has to itself" }
      ?? "which is offline, or in another cpuset partition"
    let way =
      holder.map { "give \($0.name) cpu.contested = \"yield\"" } ?? "end that partition"
    return "\(thread) of \(request.domain.name) is pinned to CPU \(cpus), \(owner): the kernel "
      + "would end its start with “Invalid argument”; pin it elsewhere, or \(way)"
  }
}
