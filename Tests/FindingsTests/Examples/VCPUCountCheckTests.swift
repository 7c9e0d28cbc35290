import HostModel
import Testing

@testable import Findings

/// The example of CONTRIBUTING.md: a check is tried on a healthy host, and on one that is spoiled.
struct VCPUCountCheckTests {
  @Test func findsMoreVCPUsThanCPUs() {
    var spoiled = Healthy()
    #expect(VCPUCountCheck().findings(of: spoiled.domain, on: spoiled.host).isEmpty)
    spoiled.domain.domain.vcpus = 17
    let findings = VCPUCountCheck().findings(of: spoiled.domain, on: spoiled.host)
    #expect(findings.map(\.title) == ["win has 17 vCPUs, the host 16 CPUs"])
  }
}
