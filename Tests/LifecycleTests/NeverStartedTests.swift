import Bytes
import HostModel
import Ledger
import Lifecycle
import Support
import Testing

/// A VM that has asked for CPUs and never comes keeps nobody from having them to itself; one that may
/// still come does.
struct NeverStartedTests {
  private static let qemu = """
    run/libvirt/qemu/rival.pid\t4711
    proc/4711/stat\t4711 (qemu) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0
    proc/4711/cmdline\t/usr/bin/qemu-system-x86_64\\0-name\\0guest=rival,debug-threads=on\\0\\c

    """

  /// What became of the rival, how many seconds ago it was prepared for, and whether it counts.
  @Test(arguments: [
    (false, false, 0, true), (false, false, 20, true), (false, false, 60, false),
    (false, false, 599, false), (true, false, 60, true), (true, true, 60, true),
  ])
  func pinsOfWhoNeverComesAreNoVeto(
    hasQEMU: Bool, hasStarted: Bool, seconds: Int, counts: Bool
  ) throws {
    let life = try RecordedLife()
    let rival = RecordedLife.domain("rival", on: [13, 14])
    #expect(try life.play(.prepare, rival) == [])
    var ledger = try life.ledger()
    try #require(ledger.holders.map(\.name) == ["rival"])
    ledger.holders[0].since -= seconds
    try life.store.save(ledger)
    if hasQEMU { try life.host.add(Self.qemu) }
    if hasStarted { #expect(try life.play(.started, rival) == []) }
    let warnings = try life.play(.prepare) { $0.isolation = .auto }
    #expect(
      warnings.contains { $0.contains("rival is on CPU 13 as well") } == counts, "\(warnings)")
    #expect(try life.ledger().holders.map(\.name) == ["rival", "gaming"])
  }
}
