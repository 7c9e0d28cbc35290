import HostModel
import Testing

@testable import Tunings

/// A start that the kernel would refuse is refused before, with whoever has the CPU.
struct CPUsOfOthersTests {
  private let tuning = CPUsOfOthers()

  /// A host on which others have some CPUs to themselves.
  private func host(allowed: String, below slice: String = "/machine.slice") -> HostFacts {
    var host = Sample.host
    let place = "/sys/fs/cgroup\(slice)/cpuset.cpus.effective"
    host.attributes = [AttributeFacts(asked: place, path: place, text: allowed)]
    var other = Neighbour(
      holder: HolderID(hypervisor: .libvirt, id: "deck"), name: "deck", vcpuCPUs: [4, 6])
    other.isolatedCPUs = [4, 6]
    host.neighbours = [other]
    return host
  }

  @Test(arguments: [
    ("0-15", [String]()), ("0-3,5,7-15", ["vCPU 0 of win10 is pinned to CPU 4, which deck has"]),
    ("4-5,12", []), ("", []),
  ])
  func eachPinThatHasNoCPULeftIsARefusal(allowed: String, beginnings: [String]) {
    let refusals = Sample.plan(tuning, on: host(allowed: allowed)).refusals.map(\.description)
    #expect(refusals.count == beginnings.count)
    for (refusal, beginning) in zip(refusals, beginnings) {
      #expect(refusal.hasPrefix(beginning))
    }
  }

  @Test func theEmulatorAndIothreadsCountAsMuch() {
    var domain = Sample.domain
    domain.vcpuPins = [:]
    domain.emulatorPin = [6]
    domain.iothreadPins = [1: [4, 6]]
    let plan = Sample.plan(tuning, domain: domain, on: host(allowed: "0-3,5,7-15"))
    #expect(
      plan.refusals.map { $0.description.prefix { $0 != "," } } == [
        "the emulator of win10 is pinned to CPU 6", "iothread 1 of win10 is pinned to CPU 4",
      ])
  }

  @Test func beforeTheFirstDomainTheHostsOwnGroupTells() {
    let refusals = Sample.plan(tuning, on: host(allowed: "0-3", below: "")).refusals
    #expect(refusals.count == 2)
    #expect(refusals[1].description.contains("in another cpuset partition"))
  }

  @Test func vCPUsThatAreOffAndPartlyTakenPinsStart() {
    var domain = Sample.domain
    domain.offVCPUs = [0]
    domain.vcpuPins[1] = [4, 5]
    #expect(
      Sample.plan(tuning, domain: domain, on: host(allowed: "0-3,5,7-15")).refusals.isEmpty)
  }

  @Test func onlyWhatIsPinnedAndComesInAsksTheKernel() {
    #expect(Sample.needs(tuning, .prepare).attributes.count == 2)
    #expect(Sample.needs(tuning, .started) == FactNeeds())
    var domain = Sample.domain
    (domain.vcpuPins, domain.emulatorPin) = ([:], nil)
    #expect(Sample.needs(tuning, .prepare, domain: domain) == FactNeeds())
  }
}
