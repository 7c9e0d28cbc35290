import HostModel
import Testing

@testable import Tunings

/// The example of CONTRIBUTING.md: a tuning is tried with a request, and a host that it plans for.
struct PageMergingTests {
  @Test func ksmdStopsForRealTimeVCPUsOnly() {
    #expect(Sample.plan(PageMerging()).changes.isEmpty)
    var policy = Policy()
    policy.fifoPriority = 1
    let plan = Sample.plan(PageMerging(), policy: policy)
    #expect(plan.changes.map(\.claim) == [.exactly(.text("0"))])
  }
}
