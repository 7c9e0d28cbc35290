internal import HostModel

/// Gives vCPU threads a real-time policy, where policy asks for it.
///
/// Never the main thread, whose children would inherit it, and never by default: on a CPU of its
/// own a vCPU gains next to nothing by it, and on a shared one it starves the kernel's per-CPU
/// work. Up to kernel 6.11 the real-time limit takes 50 ms out of every second
/// (`kernel.sched_rt_runtime_us`); later kernels give those to ordinary tasks that wait.
struct VCPUScheduler: Tuning {
  static let name = "vcpu-scheduler"

  func servesGuest(in phase: Phase) -> Bool { true }

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.policy.fifoPriority != nil else { return needs }
    needs.cpus = true
    needs.realtimeLimit = request.phase == .prepare
    needs.process = isAfterStart(request.phase)
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard let priority = request.policy.fifoPriority else { return plan }
    if request.phase == .prepare { check(request, host, &plan) }
    guard isAfterStart(request.phase), let process = host.process else { return plan }
    for facts in process.threads {
      guard case .vcpu(let id) = facts.thread.role, !request.domain.scheduledVCPUs.contains(id)
      else { continue }
      plan.changes.append(
        Change(
          .scheduler(facts.thread), .exactly(.scheduler(.fifo(priority: priority))),
          because: "policy runs the vCPUs of \(request.domain.name) as real-time threads"))
    }
    return plan
  }

  private func check(_ request: Request, _ host: HostFacts, _ plan: inout Plan) {
    let name = request.domain.name
    // A vCPU without a pin may run, and as a real-time thread stay, on any CPU.
    let reach = request.placement.pins.reduce(CPUList()) {
      $0.union($1.cpus ?? host.onlineCPUs)
    }
    if request.domain.onlineVCPUs.count >= host.onlineCPUs.count
      || request.placement.pins.allSatisfy({ $0.cpus != nil }),
      host.housekeepingCPUs(without: reach).count < request.policy.limits.hostCPUCount
    {
      plan.refusals.append(
        Refusal(
          "\(name) may not run its vCPUs with SCHED_FIFO: they would own CPUs \(reach), the last "
            + "ones of the host; leave it \(request.policy.limits.hostCPUCount), or set "
            + "scheduler.fifo-priority = 0"))
      return
    }
    let isIsolated = request.policy.isolation != .none && request.placement.oneCPUEach != nil
    if !isIsolated, host.realtimeRuntimeMicroseconds != -1 {
      plan.warnings.append(
        "SCHED_FIFO does little for \(name): its vCPUs are not isolated, and the kernel's "
          + "real-time limit still takes up to 5 % of their CPUs")
    }
  }
}
