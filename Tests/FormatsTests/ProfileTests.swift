import HostModel
import Support
import Testing

@testable import Formats

/// The profiles that every host has, and what is said about keys.
struct ProfileTests {
  private let vm = Domain(hypervisor: .libvirt, name: "win11", id: nil, vcpus: 4)

  private func policy(_ text: String) throws -> Policy {
    try PolicyFile(text, named: "f").policy(for: vm).value
  }

  @Test(arguments: BuiltInProfile.all.map(\.name))
  func namesNoProfileThatCannotBeRead(name: String) throws {
    let profile = try #require(BuiltInProfile.named(name))
    for (path, value) in profile.values {
      let key = try #require(PolicyKey.named(path))
      var policy = Policy()
      try key.read(value, &policy)
      #expect(policy != Policy(), "\(path) is what holds anyway")
    }
  }

  @Test func asksForNothingMoreUnderAuto() throws {
    #expect(try policy("[vm.win11]\nprofile = \"auto\"") == Policy())
  }

  @Test func knowsLatencyWithoutASectionOfTheFile() throws {
    let policy = try policy("[vm.win11]\nprofile = \"latency\"")
    #expect(policy.cpu.governor == "performance")
    #expect(policy.cpu.maximumWakeupLatency == 3)
    #expect(!policy.cpu.hasWatchdog)
    #expect(policy.settings.map(\.path) == ["/proc/sys/vm/stat_interval"])
    #expect(policy.isolation == .auto)
  }

  @Test func takesTheVMsOwnKeysBeforeThoseOfItsProfile() throws {
    let policy = try policy("[vm.win11]\nprofile = \"latency\"\ncpu.governor = \"powersave\"")
    #expect(policy.cpu.governor == "powersave")
    #expect(!policy.cpu.hasWatchdog)
  }

  @Test func addsASectionOfTheSameNameToTheProfile() throws {
    let policy = try policy(
      """
      [profile.latency]
      cpu.governor = "schedutil"
      scheduler.fifo-priority = 1
      [defaults]
      profile = "latency"
      """)
    #expect(policy.cpu.governor == "schedutil")
    #expect(policy.fifoPriority == 1)
    #expect(!policy.cpu.hasWatchdog)
  }

  @Test func leavesOnlyTheNecessaryUnderMinimal() throws {
    let policy = try policy("[vm.win11]\nprofile = \"minimal\"")
    #expect(policy.isolation == .none)
    #expect(policy.interrupts.move == .never)
    #expect(!policy.pinsAutomatically)
    #expect(policy.memory.reservesHugepages && policy.memory.requiresHugepages)
  }

  @Test func knowsTheNearestOfTheProfilesOfEveryHost() {
    let file = PolicyFile("[vm.win11]\nprofile = \"latncy\"", named: "f")
    #expect(
      file.problems.map(\.description) == [
        "f:2:1: profile is “latncy”, but there is no [profile.\"latncy\"]; the nearest is “latency”"
      ])
  }

  @Test(arguments: PolicyKey.all.map(\.path))
  func saysWhatAKeyCosts(path: String) throws {
    _ = try #require(PolicyPrice.of[path], "no price of \(path)")
  }

  @Test func hasNoPriceOfAKeyThatIsNot() {
    for path in PolicyPrice.of.keys { #expect(PolicyKey.named(path) != nil, "\(path)") }
  }

  @Test func explainsAProfileByItsKeys() throws {
    let file = PolicyFile("[profile.mine]\npins.vcpus = [\"4\", \"5\"]", named: "f")
    #expect(file.profiles.map(\.name) == ["auto", "latency", "throughput", "minimal", "mine"])
    let mine = try #require(file.explanation(of: "mine"))
    #expect(mine.keys.map { "\($0.path) = \($0.value)" } == ["pins.vcpus = [\"4\", \"5\"]"])
    let latency = try #require(file.explanation(of: "latency"))
    #expect(latency.keys.map(\.path) == latency.keys.map(\.path).sorted())
    #expect(latency.keys.contains { $0.value == "{ \"vm.stat_interval\" = 10 }" })
  }

  @Test func writesEveryValueOfAProfileAsTheFileWouldHaveIt() throws {
    for profile in PolicyFile.empty.profiles where profile.name != "auto" {
      let text = profile.keys.map { "\($0.path) = \($0.value)" }.joined(separator: "\n")
      #expect(
        try policy("[defaults]\n\(text)") == policy("[defaults]\nprofile = \"\(profile.name)\""))
    }
  }

  @Test func explainsAKeyAndAGroupOfKeys() throws {
    #expect(PolicyFile.empty.explanation(of: "isolation")?.keys.map(\.value) == ["\"auto\""])
    let group = try #require(PolicyFile.empty.explanation(of: "pins"))
    #expect(group.keys.map(\.path).contains("pins.emulator"))
    #expect(PolicyFile.empty.explanation(of: "pin") == nil)
    #expect(PolicyFile.empty.nearestName(to: "cpu.govenor") == "cpu.governor")
    #expect(
      PolicyFile.empty.explanation(of: "auto")?.keys.count == PolicyKey.all.count,
      "all that holds where nothing is said")
  }

  @Test func documentsEveryProfileAsItIs() throws {
    let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let text = try FileText.read("/\(repository)/docs/POLICY.md")
    for profile in PolicyFile.empty.profiles where profile.name != "auto" {
      let keys = profile.keys.map { "`\($0.path) = \($0.value)`" }.joined(separator: ", ")
      #expect(text.contains("| `\(profile.name)` | \(profile.purpose) | \(keys) |"))
    }
  }
}
