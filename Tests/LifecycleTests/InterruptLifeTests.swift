import Bytes
import HostModel
internal import Recorded
import Support
import Testing

/// Interrupts on the recorded host, two of which the kernel manages itself.
struct InterruptLifeTests {
  private func play(
    _ life: RecordedLife, _ domain: Domain = RecordedLife.domain(),
    _ change: (inout Policy) -> Void = { _ in }
  ) throws -> [String] {
    try life.play(.started, domain) { policy in
      policy.interrupts.move = .always
      change(&policy)
    }
  }

  private func list(_ life: RecordedLife, _ number: Int) throws -> String {
    try life.word("/proc/irq/\(number)/smp_affinity_list")
  }

  @Test func theyLeaveTheDomainsCPUsAndComeBack() throws {
    let life = try RecordedLife(
      "proc/irq/70/smp_affinity_list\t5,13\nproc/irq/70/ahci/\nproc/irq/71/smp_affinity_list\t5\n")
    #expect(try play(life) == [])
    #expect(try list(life, 8) == "0-4,6-12,14-15")
    #expect(try list(life, 24) == "0-3,8-11")
    #expect(try list(life, 25) == "0-7")
    #expect(try list(life, 50) == "4,6-7,12,14-15")
    // One that could go nowhere else goes anywhere else; one that nobody handles stays.
    #expect(try list(life, 70) == "0-4,6-12,14-15")
    #expect(try list(life, 71) == "5")
    #expect(try life.word("/proc/irq/default_smp_affinity") == "dfdf")
    #expect(try life.play(.reconnect) { $0.interrupts.move = .always } == [])
    #expect(try life.play(.release) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test(arguments: ["6.8.12", "6.1.176"])
  func thoseThatTurnOutToBeManagedAreCounted(release: String) throws {
    let life = try RecordedLife("proc/sys/kernel/osrelease\t\(release)\n")
    let warnings = try play(life)
    let count = "interrupts that stay where they are, beside gaming: 2, the first: "
    #expect(warnings.count == 1)
    #expect(warnings.allSatisfy { $0.hasPrefix(count) && $0.contains("/proc/irq/25/") })
    #expect(warnings.allSatisfy { $0.contains("EIO") })
    #expect(try list(life, 25) == "0-7")
    #expect(try life.play(.release) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func twoDomainsEachTakeTheirCPUsOut() throws {
    let life = try RecordedLife()
    let (first, second) = (RecordedLife.domain("a", on: [5]), RecordedLife.domain("b", on: [6]))
    _ = try play(life, first)
    _ = try play(life, second)
    #expect(try list(life, 8) == "0-4,7-15")
    #expect(try life.play(.release, first) == [])
    #expect(try list(life, 8) == "0-5,7-15")
    #expect(try life.play(.release, second) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func oneThatGoesMeanwhileIsForgottenAndAForeignMaskStays() throws {
    let life = try RecordedLife("proc/irq/70/smp_affinity_list\t0-15\nproc/irq/70/xhci_hcd/\n")
    _ = try play(life)
    try life.host.kernel.write("2", to: "/proc/irq/70/smp_affinity_list")
    let drifts = try life.play(.release)
    #expect(drifts.count == 1 && drifts[0].contains("/proc/irq/70/smp_affinity_list reads “2”"))
    #expect(try list(life, 70) == "2")
  }

  /// A running irqbalance whose socket answers what these lines say; none for one that hangs.
  private func balancer(_ pid: Int, _ lines: String) -> String {
    let rest = Array(repeating: "0", count: 31).joined(separator: " ")
    return "run/irqbalance/irqbalance\(pid).sock\t\(lines)\n"
      + "proc/\(pid)/stat\t\(pid) (irqbalance) S 1 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 77 \(rest)\n"
      + "proc/\(pid)/environ\tHOME=/\\0\\c\n"
  }

  @Test func irqbalanceThatDoesNotAnswerIsNotFought() throws {
    let life = try RecordedLife(balancer(812, "\\c"))
    let warnings = try life.play(.started) { $0.isolation = .slices }
    #expect(warnings.contains { $0.contains("irqbalance would move them back") })
    #expect(try list(life, 8) == "0-15")
  }

  @Test(arguments: ["00000000", "00000003"])
  func irqbalanceIsToldAndToldBack(banned: String) throws {
    let life = try RecordedLife(balancer(812, "banned \(banned)\\nstandard 00000000"))
    func ban() throws -> String {
      try life.word("/run/irqbalance/irqbalance812.sock").split(separator: "\n")
        .first.map { String($0.dropFirst("banned ".count)) } ?? ""
    }
    let isolate = { (policy: inout Policy) in policy.isolation = .slices }
    #expect(try life.play(.started, RecordedLife.domain(), isolate) == [])
    #expect(try list(life, 8) == "0-4,6-12,14-15")
    #expect(try life.play(.reconnect, RecordedLife.domain(), isolate) == [])
    #expect(try CPUList(parsingMask: ban()) == CPUList(parsingMask: banned).union([5, 13]))
    #expect(try life.play(.release) == [])
    // It shows that it was told back a while later, and is remembered for as long.
    #expect(try life.play(.release) == [])
    #expect(try CPUList(parsingMask: ban()) == CPUList(parsingMask: banned))
    #expect(try life.difference(below: "/sys/devices", "/proc") == [])
  }

  @Test func anIrqbalanceThatIsStartedAnewIsToldAnew() throws {
    let life = try RecordedLife(balancer(812, "banned 0"))
    let isolate = { (policy: inout Policy) in policy.isolation = .slices }
    #expect(try life.play(.started, RecordedLife.domain(), isolate) == [])
    try life.host.remove("/proc/812")
    try life.host.remove("/run/irqbalance/irqbalance812.sock")
    try life.host.add(balancer(900, "banned 0"))
    #expect(try life.play(.reconnect, RecordedLife.domain(), isolate) == [])
    let socket: HostPath = "/run/irqbalance/irqbalance900.sock"
    #expect(try life.word(socket).hasPrefix("banned 2020"))
    #expect(try life.play(.release) == [])
    #expect(try life.play(.release) == [])
    #expect(try life.word(socket).hasPrefix("banned 0\n"))
  }

  /// The interrupt of the domain's card, as VFIO makes it for the guest's driver.
  private func passed(_ number: Int, _ action: String = "vfio-msi[0](0000:41:00.0)") -> String {
    "proc/irq/\(number)/smp_affinity_list\t0-15\nproc/irq/\(number)/\(action)/\n"
  }

  @Test func thoseThatTheGuestsDriverMakesGoWherePolicySays() throws {
    let units = RememberedUnits()
    let life = try RecordedLife(balancer(812, "banned 0\\nirqs 9"), units: units)
    var domain = RecordedLife.domain()
    let card = try #require(PCIAddress("0000:41:00.0"))
    domain.functions = [PassedFunction(address: card, isManaged: true, kind: .hostdev)]
    let send = { (policy: inout Policy) in
      policy.interrupts.move = .never
      policy.interrupts.deviceCPUs = [2]
    }
    let socket: HostPath = "/run/irqbalance/irqbalance812.sock"
    let warnings = try life.play(.started, domain, send)
    #expect(warnings.count == 1 && warnings[0].contains("was not recognised"))
    #expect(units.names == ["berth-follow.timer"])
    try life.host.add(passed(90))
    #expect(try life.reconcile() == [])
    #expect(try list(life, 90) == "2")
    #expect(try life.word(socket).contains("irqs 9 90"))
    // The guest is started anew, and its number is a disk's.
    try life.host.remove("/proc/irq/90")
    try life.host.add("proc/irq/90/smp_affinity_list\t0-15\nproc/irq/90/nvme0q9/\n")
    try life.host.add(passed(91))
    #expect(try life.reconcile() == [])
    #expect(try list(life, 90) == "0-15")
    #expect(try list(life, 91) == "2")
    #expect(try life.word(socket).contains("irqs 9 91"))
    // Let go while QEMU runs: as the kernel had it.
    #expect(try life.play(.release, domain) == [])
    #expect(try list(life, 91) == "0-15")
    #expect(units.names == [])
    #expect(try life.word(socket).contains("irqs 9\n") || life.word(socket).hasSuffix("irqs 9"))
  }

  @Test func anInterruptKeepsItsCPUWhileItsMaskHasIt() throws {
    let host = try Workstation()
    let effective = { try host.word("/proc/irq/40/effective_affinity_list") }
    try host.kernel.write("1-3", to: "/proc/irq/40/smp_affinity_list")
    #expect(try effective() == "1")
    try host.kernel.write("2-3", to: "/proc/irq/40/smp_affinity_list")
    #expect(try effective() == "2")
    try host.kernel.write("0-15", to: "/proc/irq/40/smp_affinity_list")
    #expect(try effective() == "2")
  }
}
