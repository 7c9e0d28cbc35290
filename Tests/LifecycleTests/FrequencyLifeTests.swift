import Bytes
import HostModel
internal import Recorded
import Support
import Testing

/// Frequencies on the recorded host: two cpufreq policies as amd-pstate has them.
struct FrequencyLifeTests {
  private static let cpufreq: HostPath = "/sys/devices/system/cpu/cpufreq"

  private static func policy(
    _ number: Int, cpus: String, governor: String = "powersave",
    preference: String = "balance_performance"
  ) -> String {
    let directory = "sys/devices/system/cpu/cpufreq/policy\(number)"
    var lines = [
      "\(directory)/affected_cpus\t\(cpus)", "\(directory)/scaling_governor\t\(governor)",
      "\(directory)/scaling_available_governors\tperformance powersave",
      "\(directory)/energy_performance_preference\t\(preference)",
      "\(directory)/energy_performance_available_preferences\tdefault performance "
        + "balance_performance balance_power power",
      "\(directory)/scaling_min_freq\t400000", "\(directory)/scaling_max_freq\t4200000",
      "\(directory)/cpuinfo_max_freq\t4200000",
    ]
    for cpu in cpus.split(separator: " ") {
      lines.append("sys/devices/system/cpu/cpu\(cpu)/cpufreq -> ../cpufreq/policy\(number)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static let host =
    policy(5, cpus: "5 13") + policy(6, cpus: "6 14") + "sys/devices/system/cpu/cpufreq/boost\t1\n"

  private func life(_ host: String = host) throws -> RecordedLife { try RecordedLife(host) }

  private func play(
    _ life: RecordedLife, _ domain: Domain, _ change: (inout Policy) -> Void
  ) throws -> [String] {
    try life.play(.prepare, domain, change) + life.play(.started, domain, change)
  }

  @Test func everythingIsSetAndGivenBack() throws {
    let life = try life()
    let domain = RecordedLife.domain()
    let warnings = try play(life, domain) { policy in
      policy.cpu.governor = "performance"
      policy.cpu.minimumFrequency = .highest
      policy.cpu.boost = false
    }
    #expect(warnings == [])
    #expect(
      try life.difference(below: Self.cpufreq.description) == [
        "\(Self.cpufreq)/boost: 1 is 0",
        "\(Self.cpufreq)/policy5/energy_performance_preference: balance_performance is performance",
        "\(Self.cpufreq)/policy5/scaling_governor: powersave is performance",
        "\(Self.cpufreq)/policy5/scaling_min_freq: 400000 is 4200000",
      ])
    #expect(try life.play(.reconnect, domain) { $0.cpu.governor = "performance" } == [])
    #expect(try life.play(.release, domain) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func aGovernorThatIsPerformanceMakesWayForAPreferenceAndComesBack() throws {
    let life = try life(
      Self.policy(5, cpus: "5 13", governor: "performance", preference: "performance"))
    let domain = RecordedLife.domain()
    let warnings = try play(life, domain) { policy in
      policy.cpu.governor = "powersave"
      policy.cpu.energyPreference = "balance_power"
    }
    #expect(warnings == [])
    #expect(
      try life.word("\(Self.cpufreq)/policy5/energy_performance_preference") == "balance_power")
    #expect(try life.play(.release, domain) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func twoDomainsOfOnePolicyAgreeOrTheSecondDoesWithout() throws {
    let life = try life()
    let (first, second) = (RecordedLife.domain("a", on: [5]), RecordedLife.domain("b", on: [13]))
    let same = { (policy: inout Policy) in
      policy.cpu.governor = "performance"
      policy.cpu.minimumFrequency = .kHz(2_000_000)
    }
    #expect(try play(life, first, same) == [])
    let warnings = try play(life, second) { policy in
      policy.cpu.governor = "powersave"
      policy.cpu.energyPreference = "power"
      policy.cpu.minimumFrequency = .kHz(3_000_000)
    }
    #expect(warnings.count == 2)
    #expect(warnings.allSatisfy { $0.hasPrefix("b does without: ") && $0.contains("held by a") })
    #expect(try life.word("\(Self.cpufreq)/policy5/scaling_min_freq") == "3000000")
    #expect(try life.play(.release, second) == [])
    #expect(try life.word("\(Self.cpufreq)/policy5/scaling_min_freq") == "2000000")
    #expect(try play(life, second, same) == [])
    #expect(try life.play(.release, first) == [])
    #expect(try life.word("\(Self.cpufreq)/policy5/scaling_governor") == "performance")
    #expect(try life.play(.release, second) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test(arguments: ["policy6/boost\t0", "policy6/scaling_max_freq\t2000000"])
  func theSwitchStaysWhereAPolicyHasSomethingOfItsOwn(line: String) throws {
    let life = try life(Self.host + "sys/devices/system/cpu/cpufreq/\(line)\n")
    let warnings = try life.play(.prepare, RecordedLife.domain()) { $0.cpu.boost = false }
    #expect(warnings.count == 1 && warnings[0].contains("policy6"))
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func aSwitchThatTheFirmwareLocksIsDoneWithout() throws {
    let life = try life(Self.host + "recorded/limits\t\(Self.cpufreq)/boost refuses 1\n")
    let domain = RecordedLife.domain()
    let warnings = try play(life, domain) { $0.cpu.boost = false }
    #expect(warnings.count == 1 && warnings[0].contains("EPERM"))
    #expect(try life.play(.release, domain) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test(arguments: [
    ("policy5/scaling_governor", "schedutil", Int32(22)),
    ("policy5/scaling_governor", "powersave", 0),
    ("policy5/energy_performance_preference", "turbo", 22), ("boost", "2", 22),
    ("policy5/scaling_min_freq", "x", 22), ("policy5/scaling_min_freq", "9999999", 0),
  ])
  func theRecordedDriverAnswersAsARealOne(file: String, text: String, number: Int32) throws {
    let host = try Workstation()
    try host.add(Self.host)
    do throws(HostError) {
      try host.kernel.write(text, to: "\(Self.cpufreq)/\(below: file)")
      #expect(number == 0)
    } catch {
      #expect(error.errno == number)
    }
  }

  @Test func theRecordedDriverKeepsThePreferenceOfTheGovernorPerformance() throws {
    let host = try Workstation()
    try host.add(Self.host)
    let preference: HostPath = "\(Self.cpufreq)/policy5/energy_performance_preference"
    try host.kernel.write("performance", to: "\(Self.cpufreq)/policy5/scaling_governor")
    let error = #expect(throws: HostError.self) { try host.kernel.write("power", to: preference) }
    #expect(error?.errno == 16)
    try host.kernel.write("powersave", to: "\(Self.cpufreq)/policy5/scaling_governor")
    #expect(try host.word(preference) == "performance")
  }
}
