import HostIO
import HostModel
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

  @Test func irqbalanceIsSeenByItsSocket() throws {
    let life = try RecordedLife("run/irqbalance/irqbalance812.sock\t\\c\n")
    let warnings = try life.play(.started) { $0.isolation = .slices }
    #expect(warnings.contains { $0.contains("irqbalance would move them back") })
    #expect(try list(life, 8) == "0-15")
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
