internal import HostModel

/// Keeps the CPUs of a domain's vCPUs out of sleep that they take long to wake from.
///
/// By the limit that the kernel has for each CPU, `pm_qos_resume_latency_us`, which every idle
/// governor obeys; without that file, by switching off the states that are too deep.
///
/// In that file `0` is *no limit*, and *no latency at all* is `n/a` (drivers/base/power/sysfs.c).
/// So the lowest number is not the strictest one, and the claims of two domains on one CPU are
/// either the same or the second one does without.
struct IdleStates: Tuning {
  static let name = "idle-states"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    if isAfterStart(request.phase), request.policy.cpu.maximumWakeupLatency != nil {
      needs.idleCPUs = request.placement.cpus
    }
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard let limit = request.policy.cpu.maximumWakeupLatency else { return plan }
    if request.phase == .prepare, request.placement.cpus.isEmpty {
      plan.warnings.append(
        "no vCPU of \(request.domain.name) is pinned, so there is no CPU that could be kept from "
          + "deep sleep for it")
    }
    guard isAfterStart(request.phase) else { return plan }
    var objections = Objections()
    for facts in host.idleStates {
      plan.changes += changes(facts, limit, request.domain.name, &objections)
    }
    plan.warnings += objections.sentences
    return plan
  }

  private func changes(
    _ facts: IdleFacts, _ limit: Int, _ domain: String, _ objections: inout Objections
  ) -> [Change] {
    let directory = "/sys/devices/system/cpu/cpu\(facts.cpu)"
    if let standing = facts.latencyLimit {
      guard !Self.isStricter(standing, than: limit) else { return [] }
      return [
        Change(
          .attribute(path: "\(directory)/power/pm_qos_resume_latency_us", .text),
          .exactly(.text(limit == 0 ? "n/a" : "\(limit)")),
          because: "a vCPU of \(domain) wakes CPU \(facts.cpu) within \(limit) µs")
      ]
    }
    if facts.states.isEmpty {
      objections.add("their sleep cannot be limited: they have no idle states", [facts.cpu])
    }
    return facts.states.filter { $0.latency > limit }.map { state in
      Change(
        .attribute(path: "\(directory)/cpuidle/state\(state.index)/disable", .text),
        .exactly(.text("1")),
        because: "\(state.name) takes \(state.latency) µs to wake from, and CPU \(facts.cpu) has a "
          + "vCPU of \(domain)")
    }
  }

  /// Whether somebody has set a limit that is stricter than the one asked for; such a one stays.
  private static func isStricter(_ standing: String, than limit: Int) -> Bool {
    if standing == "n/a" { return limit > 0 }
    guard let number = Int(standing), number > 0 else { return false }
    return number < limit
  }
}
