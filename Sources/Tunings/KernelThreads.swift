internal import HostModel

/// Moves the kernel's own threads and its unbound work off the CPUs of a domain's vCPUs.
///
/// Where the domain is isolated by `AllowedCPUs=`: a partition does it by itself. The kernel's
/// threads are in the root cgroup, which no unit confines, and work that is bound to no CPU goes by
/// a mask of its own. Threads of one CPU each cannot be moved.
///
/// While another domain has a partition, what a thread may use and what it was given are not the
/// same, and a mask that is written brings work back to that domain's CPUs: then all stays as it is.
struct KernelThreads: Tuning {
  static let name = "kernel-threads"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard isAfterStart(request.phase), isWanted(by: request) else { return needs }
    needs.cpus = true
    needs.process = true
    let hasSlices =
      request.policy.isolation == .slices || !request.attained.isEmpty
      || request.domain.hypervisor == .proxmox && request.domain.proxmox?.affinity == nil
    needs.kernelWork = hasSlices ? .always : .unlessPartitioned
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard isAfterStart(request.phase), isWanted(by: request),
      let cpus = Isolation().cpusOfSlices(of: request, on: host)
    else { return plan }
    guard !host.kernelWork.isPartitioned else {
      plan.warnings.append(
        "kernel threads stay on the CPUs of \(request.domain.name) while others have a partition")
      return plan
    }
    plan.changes += threads(beside: cpus, request, host)
    let left = host.housekeepingCPUs(without: cpus)
    for queue in host.kernelWork.queues where !queue.cpus.isDisjoint(with: cpus) {
      plan.changes.append(
        Change(
          .attribute(path: queue.path, .cpuMask), .withoutCPUs(cpus, all: left),
          because: "work of the kernel would interrupt the vCPUs of \(request.domain.name)"))
    }
    return plan
  }

  /// The kernel's threads that leave a domain's CPUs.
  func moved(by request: Request, on host: HostFacts) -> [HostThread] {
    plan(request, on: host).changes.compactMap { change in
      if case .affinity(let thread) = change.setting { thread } else { nil }
    }
  }

  private func isWanted(by request: Request) -> Bool {
    request.policy.kernelThreads == .auto && request.policy.isolation != .partition
      && Isolation().isWanted(by: request)
  }

  private func threads(
    beside cpus: CPUList, _ request: Request, _ host: HostFacts
  ) -> [Change] {
    let name = request.domain.name
    let left = host.housekeepingCPUs(without: cpus)
    return host.kernelWork.threads.filter { $0.thread.tid != Self.parent }.compactMap {
      thread -> Change? in
      var change: Change
      if isTimer(thread, of: host.process) {
        guard !isPinned(thread, request, host) else { return nil }
        let emulator = request.domain.emulatorPin ?? request.policy.pins.emulator
        guard let pin = emulator ?? (thread.cpus.isDisjoint(with: cpus) ? nil : left) else {
          return nil
        }
        change = Change(
          .affinity(thread.thread), .exactly(.cpus(pin)),
          because: "\(thread.name) serves the emulator of \(name)")
      } else {
        guard !thread.cpus.isDisjoint(with: cpus) else { return nil }
        change = Change(
          .affinity(thread.thread), .withoutCPUs(cpus, all: left), of: thread.name,
          because: "would interrupt the vCPUs of \(name)")
      }
      change.countedAs = "kernel threads that stay where they are, beside \(name)"
      return change
    }
  }

  /// kthreadd, which makes all the others (init/main.c, `rest_init()`), and stays where it is.
  ///
  /// What it is given counts for each thread that it makes meanwhile for good, from 6.2 on: the mask that a task
  /// was given is copied with it (kernel/fork.c, `dup_user_cpus_ptr()`), and what the kernel sets for a new
  /// thread is cut by it (kernel/sched/core.c, `__set_cpus_allowed_ptr()`). Nobody could tell later which of
  /// them are to be given back. Up to 6.1 a new thread does not have it.
  private static let parent = 2

  /// Whether a thread emulates the timer of this domain (arch/x86/kvm/i8254.c).
  private func isTimer(_ thread: KernelThreadFacts, of process: QEMUFacts?) -> Bool {
    guard let process else { return false }
    return thread.name == "kvm-pit/\(process.identity.pid)"
  }

  /// Whether `ThreadPinning` sees to a thread.
  private func isPinned(
    _ thread: KernelThreadFacts, _ request: Request, _ host: HostFacts
  ) -> Bool {
    request.domain.emulatorPin == nil && request.policy.pins.emulator != nil
      && host.process?.threads.contains { $0.thread.tid == thread.thread.tid } == true
  }
}
