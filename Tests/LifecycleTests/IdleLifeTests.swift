import Bytes
import HostModel
internal import Recorded
import Support
import Testing

/// Sleep of CPUs on the recorded host.
struct IdleLifeTests {
  private static let cpus: HostPath = "/sys/devices/system/cpu"
  private static let limit = "power/pm_qos_resume_latency_us"

  private static let host = """
    sys/devices/system/cpu/cpu5/power/pm_qos_resume_latency_us\t0
    sys/devices/system/cpu/cpu13/cpuidle/state0/latency\t0
    sys/devices/system/cpu/cpu13/cpuidle/state0/disable\t0
    sys/devices/system/cpu/cpu13/cpuidle/state1/latency\t2
    sys/devices/system/cpu/cpu13/cpuidle/state1/disable\t0
    sys/devices/system/cpu/cpu13/cpuidle/state2/name\tC6
    sys/devices/system/cpu/cpu13/cpuidle/state2/latency\t133
    sys/devices/system/cpu/cpu13/cpuidle/state2/disable\t0

    """

  @Test(arguments: [(2, "2", ["state2"]), (0, "n/a", ["state1", "state2"])])
  func sleepIsLimitedAndGivenBack(latency: Int, text: String, states: [String]) throws {
    let life = try RecordedLife(Self.host)
    let wish = { (policy: inout Policy) in policy.cpu.maximumWakeupLatency = latency }
    #expect(try life.play(.prepare, RecordedLife.domain(), wish) == [])
    #expect(try life.play(.started, RecordedLife.domain(), wish) == [])
    #expect(
      try life.difference(below: Self.cpus.description)
        == states.map { "\(Self.cpus)/cpu13/cpuidle/\($0)/disable: 0 is 1" } + [
          "\(Self.cpus)/cpu5/\(Self.limit): 0 is \(text)"
        ])
    #expect(try life.play(.reconnect, RecordedLife.domain(), wish) == [])
    #expect(try life.play(.release) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test(arguments: [("-1", Int32(22)), ("2147483647", 22), ("none", 22), ("n/a", 0), ("0", 0)])
  func theRecordedKernelTakesWhatARealOneTakes(text: String, number: Int32) throws {
    let host = try Workstation()
    try host.add(Self.host)
    do throws(HostError) {
      try host.kernel.write(text, to: "\(Self.cpus)/cpu5/\(below: Self.limit)")
      #expect(number == 0)
    } catch {
      #expect(error.errno == number)
    }
  }
}
