import Bytes
import Formats
import HostModel
import Lifecycle
internal import Recorded
internal import Support
import Testing

/// Units, commands and other domains beside a domain's life on the recorded host, from the policy
/// file to the host and back.
struct BesideLifeTests {
  private static let host = """
    recorded/units/gdm.service\tactive
    recorded/units/display-manager.service -> gdm.service
    recorded/units/off.service\tinactive
    recorded/units/libvirtd.service\tactive
    recorded/units/systemd-logind.service\tactive
    usr/local/sbin/monitor*\t#!
    usr/bin/systemd-inhibit*\t#!
    usr/bin/sleep*\t#!
    usr/bin/virsh*\t#!
    usr/bin/timeout*\t#!
    usr/bin/tail*\t#!

    """

  private static let everything = """
    services.stop = ["display-manager", "off", "libvirtd", "missing"]
    commands = [
      { run = ["/usr/local/sbin/monitor", "a"], undo = ["/usr/local/sbin/monitor", "b"] },
      { at = "started", run = ["/usr/local/sbin/monitor", "c"], undo = ["/usr/local/sbin/monitor", "d"] },
    ]
    """

  private func life(
    _ text: String, limits: String = ""
  ) throws -> (life: RecordedLife, policy: Policy) {
    let limit = limits.isEmpty ? "" : "recorded/limits\t\(limits)\n"
    let life = try RecordedLife(Self.host + limit)
    let file = PolicyFile("[defaults]\nisolation = \"none\"\n\(text)", named: "f")
    #expect(file.problems.map(\.description) == [])
    return (life, try file.policy(for: RecordedLife.domain()).value)
  }

  private func runs(_ life: RecordedLife) throws -> [String] {
    guard life.host.kernel.exists("/recorded/runs") else { return [] }
    return try life.word("/recorded/runs").split(separator: "\n")
      .map { String($0.replacing("/usr/local/sbin/monitor ", with: "")) }
  }

  private func gdm(_ life: RecordedLife) throws -> String {
    try life.word("/recorded/units/gdm.service")
  }

  @Test func everythingIsDoneAndUndoneOnce() throws {
    let (life, policy) = try life(Self.everything)
    let warnings = try life.play(.prepare) { $0 = policy }
    #expect(
      warnings == [
        "libvirtd.service is not stopped: the hypervisor needs it",
        "missing.service is not stopped: there is no such unit",
      ])
    #expect(try gdm(life) == "inactive" && runs(life) == ["a"])
    for phase in [Phase.start, .started, .reconnect, .stopped] {
      #expect(try life.play(phase) { $0 = policy } == [])
    }
    #expect(try runs(life) == ["a", "c"])
    #expect(try life.play(.release) == [])
    #expect(try life.play(.release) == [])
    #expect(try gdm(life) == "active")
    #expect(try runs(life).sorted() == ["a", "b", "c", "d"])
    #expect(try life.difference(below: "/recorded/units", "/sys", "/proc") == [])
  }

  @Test func theLastOfTwoDomainsBringsAUnitBack() throws {
    let (life, policy) = try life("services.stop = [\"gdm\"]")
    let domains = [RecordedLife.domain("a", on: [5]), RecordedLife.domain("b", on: [6])]
    for domain in domains { #expect(try life.play(.prepare, domain) { $0 = policy } == []) }
    #expect(try life.play(.release, domains[0]) == [])
    #expect(try gdm(life) == "inactive")
    #expect(try life.play(.release, domains[1]) == [])
    #expect(try gdm(life) == "active")
  }

  @Test func aUnitThatSomebodyElseStartsIsLeftAloneAndReported() throws {
    let (life, policy) = try life("services.stop = [\"gdm\"]")
    #expect(try life.play(.prepare) { $0 = policy } == [])
    try life.host.add("recorded/units/gdm.service\tactive\n")
    let other = RecordedLife.domain("b", on: [6])
    let said = try life.play(.prepare, other) { $0 = policy }
    #expect(said.contains { $0.contains("gdm.service reads “active”, which Berth did not write") })
    #expect(try gdm(life) == "active")
    #expect(try life.play(.release, other).count == 1)
    #expect(try life.play(.release) == [])
    #expect(try gdm(life) == "active")
  }

  @Test func aUnitThatDoesNotStopInTimeIsSaidAndStartedAgain() throws {
    let (life, policy) = try life(
      "services.stop = [\"gdm\"]", limits: "gdm.service hangs yes")
    let said = try life.play(.prepare) { $0 = policy }
    #expect(said.count >= 1 && said[0].contains("ETIMEDOUT"))
    #expect(said[0].contains("systemd goes on with it"))
    try life.host.add("recorded/limits\tnone none none\n")
    #expect(try life.play(.release) == [])
    #expect(["active", "activating"].contains(try gdm(life)))
  }

  @Test func aUnitThatRefusesToStopIsDoneWithout() throws {
    let (life, policy) = try life(
      "services.stop = [\"gdm\"]", limits: "gdm.service refuses 5")
    let said = try life.play(.prepare) { $0 = policy }
    #expect(said.count == 1 && said[0].contains("it ended as “failed”"))
    #expect(try gdm(life) == "active")
    #expect(try life.play(.release) == [])
  }

  @Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
  func aCommandThatFailsOrHangsIsUndoneAtOnce(isRequired: Bool, hangs: Bool) throws {
    let (life, policy) = try life(
      """
      services.stop = ["gdm"]
      commands = [{ run = ["/usr/local/sbin/bad", "a"], undo = ["/usr/local/sbin/monitor", "b"], \
      required = \(isRequired) }]
      """, limits: "/usr/local/sbin/bad \(hangs ? "hangs yes" : "refuses 1")")
    try life.host.add("usr/local/sbin/bad*\t#!\n")
    if isRequired {
      #expect(throws: PhaseRefusal.self) { try life.play(.prepare) { $0 = policy } }
    } else {
      let said = try life.play(.prepare) { $0 = policy }
      #expect(said.count == 1 && said[0].contains(hangs ? "ETIMEDOUT" : "failed"))
    }
    #expect(try runs(life) == ["/usr/local/sbin/bad a", "b"])
    #expect(try life.play(.release) == [])
    #expect(try runs(life).count == 2)
    #expect(try gdm(life) == "active")
    #expect(try life.difference(below: "/recorded/units") == [])
  }

  @Test func aCommandThatIsNotThereIsSaid() throws {
    let (life, policy) = try life("commands = [{ run = [\"/usr/bin/nothing\"] }]")
    #expect(
      try life.play(.prepare) { $0 = policy } == [
        "/usr/bin/nothing is not run: it is not there"
      ])
  }

  @Test func aChangedPolicyDoesNotLoseTheOldUndo() throws {
    let (life, policy) = try life(Self.everything)
    try life.play(.prepare) { $0 = policy }
    var changed = policy
    changed.beside.commands[0].undo = ["/usr/local/sbin/monitor", "x"]
    changed.beside.commands.removeLast()
    try life.play(.started) { $0 = changed }
    try life.play(.release) { $0 = changed }
    #expect(try runs(life) == ["a", "b"])
  }

  @Test func aCommandThatSomebodyElseUndidIsNotUndoneAgain() throws {
    let (life, policy) = try life(Self.everything)
    try life.play(.prepare) { $0 = policy }
    let units = try life.host.kernel.entries(of: "/recorded/units")
    let unit = try #require(units.first { $0.hasPrefix("berth-command") })
    try life.host.systemd.stopUnit(unit, until: .distant)
    #expect(try runs(life) == ["a", "b"])
    #expect(try life.play(.release) == [])
    #expect(try runs(life) == ["a", "b"])
  }

  @Test func metadataRunsNothing() throws {
    var domain = RecordedLife.domain()
    for key in [
      "commands", "services.stop", "companions.stop", "companions.required", "host.stay-awake",
    ] {
      domain.metadata.append(MetadataKey(key: key, text: "/bin/sh"))
    }
    let policy = try PolicyFile("", named: "f").policy(for: domain)
    #expect(policy.value == Policy())
    #expect(policy.warnings.count == 5)
    #expect(policy.warnings.allSatisfy { $0.contains("is taken from the policy file only") })
  }

  private static let companion = """
    run/libvirt/qemu/idle vm.pid\t40
    proc/40/stat\t40 (qemu) S 1 40 40 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0
    proc/40/cmdline\t/usr/bin/qemu-system-x86_64\\0-name\\0guest=idle vm,debug-threads=on\\0-uuid\\0\
    0c0c0c0c-1111-2222-3333-444444444444\\0\\c

    """

  @Test(arguments: ["idle vm", "0C0C0C0C-1111-2222-3333-444444444444"])
  func aCompanionThatStaysIsSaidAndStartedAfterwardsAllTheSame(name: String) throws {
    let (life, policy) = try life(
      """
      companions = { stop = ["\(name)", "absent"], patience = "200ms" }
      services.stop = ["gdm"]
      """)
    try life.host.add(Self.companion)
    let said = try life.play(.prepare) { $0 = policy }
    #expect(said.count == 1 && said[0].contains("ETIMEDOUT (it still runs)"))
    let virsh = "/usr/bin/virsh -c qemu:///system"
    let id = "0c0c0c0c-1111-2222-3333-444444444444"
    #expect(try runs(life) == ["\(virsh) shutdown \(id)"])
    // All else is done once the wait is over.
    #expect(try gdm(life) == "inactive")
    #expect(try life.play(.release) == [])
    #expect(try runs(life).last == "\(virsh) start \(id)")
    #expect(try gdm(life) == "active")
  }

  @Test func aCompanionThatStaysMayKeepTheDomainFromStarting() throws {
    let (life, policy) = try life(
      "companions = { stop = [\"idle vm\"], patience = \"200ms\", required = true }")
    try life.host.add(Self.companion)
    #expect(throws: PhaseRefusal.self) { try life.play(.prepare) { $0 = policy } }
    #expect(try runs(life).last?.contains(" start ") == true)
    #expect(try life.difference(below: "/recorded/units") == [])
  }

  @Test func aCompanionThatDoesNotRunIsNotStarted() throws {
    let (life, policy) = try life("companions.stop = [\"idle vm\"]")
    #expect(try life.play(.prepare) { $0 = policy } == [])
    #expect(try life.play(.release) == [])
    #expect(try runs(life) == [])
  }

  @Test func theLastOfTwoDomainsHasTheirCompanionStartedAgain() throws {
    let (life, policy) = try life(
      "companions = { stop = [\"idle vm\"], patience = \"100ms\" }")
    try life.host.add(Self.companion)
    let domains = [RecordedLife.domain("a", on: [5]), RecordedLife.domain("b", on: [6])]
    #expect(try life.play(.prepare, domains[0]) { $0 = policy }.count == 1)
    // It has ended meanwhile.
    try life.host.add("run/libvirt/qemu/idle vm.pid\t0\n")
    #expect(try life.play(.prepare, domains[1]) { $0 = policy } == [])
    #expect(try life.play(.release, domains[0]) == [])
    #expect(try runs(life).count == 1)
    #expect(try life.play(.release, domains[1]) == [])
    #expect(try runs(life).last?.contains(" start ") == true)
  }
}
