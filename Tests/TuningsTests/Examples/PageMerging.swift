import HostModel

@testable import Tunings

/// Stops ksmd while a VM with real-time vCPUs runs.
///
/// It scans memory at the cost of CPU time and caches; pages that it has merged stay so
/// (mm/ksm.c, `run_store()`).
struct PageMerging: Tuning {
  static let name = "page-merging"

  func needs(for request: Request) -> FactNeeds { FactNeeds() }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare, request.policy.fifoPriority != nil else { return plan }
    plan.changes.append(
      Change(
        .attribute(path: "/sys/kernel/mm/ksm/run", .text), .exactly(.text("0")),
        because: "the vCPUs of \(request.domain.name) are real-time threads"))
    return plan
  }
}
