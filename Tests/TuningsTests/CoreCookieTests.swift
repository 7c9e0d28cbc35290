import HostModel
import Testing

@testable import Tunings

/// A cookie is made where policy asks for it and nobody else has made one.
struct CoreCookieTests {
  private func plan(
    _ cookie: QEMUFacts.CoreCookie, _ phase: Phase = .started, isAsked: Bool = true
  ) -> Plan {
    var host = Sample.host
    var process = QEMUFacts.expected(for: Sample.domain)
    process.identity = ProcessIdentity(pid: 4242, startTime: 9)
    process.cookie = cookie
    host.process = process
    var policy = Policy()
    policy.hasCoreCookie = isAsked
    return Sample.plan(CoreCookie(), phase, policy: policy, on: host)
  }

  @Test func theWholeOfQEMUGetsOne() {
    let plan = plan(.none)
    #expect(
      plan.changes.map(\.setting) == [.coreCookie(ProcessIdentity(pid: 4242, startTime: 9))])
    #expect(plan.changes.map(\.claim) == [.exactly(.text("own"))])
    #expect(self.plan(.none, .reconnect).changes == plan.changes)
    #expect(self.plan(.none, isAsked: false) == Plan(phase: .started))
    #expect(self.plan(.none, .prepare) == Plan(phase: .prepare))
  }

  @Test func oneThatIsThereIsLeftAlone() {
    #expect(plan(.own) == Plan(phase: .started))
    let mixed = plan(.mixed)
    #expect(mixed.changes.isEmpty && mixed.warnings.count == 1)
    #expect(mixed.warnings[0].contains("sched_core"))
  }

  @Test func whyItCannotBeHadIsSaidOnce() {
    let reason = "this kernel is built without it"
    #expect(
      plan(.unavailable(reason)).warnings
        == ["win10 shares its cores with foreign threads: \(reason)"])
    #expect(plan(.unavailable(reason), .reconnect) == Plan(phase: .reconnect))
  }

  @Test func itIsReadOnlyWhereItIsAskedFor() {
    #expect(Sample.needs(CoreCookie(), .started) == FactNeeds())
    var policy = Policy()
    policy.hasCoreCookie = true
    #expect(Sample.needs(CoreCookie(), .prepare, policy: policy) == FactNeeds())
    #expect(Sample.needs(CoreCookie(), .started, policy: policy).coreCookie)
  }
}
