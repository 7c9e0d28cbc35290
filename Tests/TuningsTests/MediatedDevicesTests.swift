import HostModel
import Testing

@testable import Tunings

struct MediatedDevicesTests {
  @Test func saysWhichAreNotThereBeforeTheStart() {
    var domain = Sample.domain
    domain.mediatedDevices = ["a-b", "c-d"]
    #expect(
      Sample.needs(MediatedDevices(), .prepare, domain: domain).mediatedDevices == ["a-b", "c-d"])
    var host = Sample.host
    #expect(Sample.plan(MediatedDevices(), domain: domain, on: host) == Plan(phase: .prepare))
    host.absentMediatedDevices = ["c-d"]
    let plan = Sample.plan(MediatedDevices(), domain: domain, on: host)
    // Another hook may still make it.
    #expect(plan.refusals.isEmpty && plan.changes.isEmpty && plan.warnings.count == 1)
    #expect(plan.warnings[0].contains("wants the mediated device c-d, which does not exist"))
    for phase in [Phase.start, .started, .release] {
      #expect(Sample.needs(MediatedDevices(), phase, domain: domain) == FactNeeds())
      #expect(Sample.plan(MediatedDevices(), phase, domain: domain, on: host) == Plan(phase: phase))
    }
  }
}
