import Bytes
import Formats
import HostModel
import Ledger
import Lifecycle
import Support
import Testing
import Tunings

@testable import Port
@testable import Recorded

/// Whatever does not answer costs a phase no more than its budget.
struct HangingLifeTests {
  private static let card: HostPath = "/sys/bus/pci/devices/0000:45:00.0"

  private func policy(_ text: String) throws -> Policy {
    let file = PolicyFile("[defaults]\nisolation = \"none\"\n\(text)", named: "f")
    #expect(file.problems.map(\.description) == [])
    return try file.policy(for: RecordedLife.domain()).value
  }

  @Test(arguments: [1, 3, 8])
  func aMuteManagerCostsAPhaseItsBudgetAndNoMore(services: Int) throws {
    let names = (0..<services).map { "s\($0).service" }
    let life = try RecordedLife(names.map { "recorded/units/\($0)\tactive\n" }.joined())
    life.host.systemd.isMute = true
    let start = life.host.kernel.now
    let quoted = names.map { "\"\($0)\"" }.joined(separator: ", ")
    let policy = try policy("services.stop = [\(quoted)]\nbudget.before-start = \"2s\"")
    let said = try life.play(.prepare) { $0 = policy }
    #expect(life.host.kernel.now.milliseconds(from: start) < 2_500)
    #expect(said.contains { $0.contains("ETIMEDOUT") })
  }

  @Test func anUnbindThatHangsCostsEachPhaseItsBudgetAndIsPutRightOnceItEnds() throws {
    let life = try RecordedLife(Card.lines())
    let kernel = life.host.kernel
    let policy = try policy("pci.bind = [\"0000:45:00\"]\nbudget.before-start = \"8s\"")
    try kernel.hang(at: "\(Self.card)/driver/unbind")
    var start = kernel.now
    #expect(throws: PhaseRefusal.self) { try life.play(.prepare) { $0 = policy } }
    // What giving back has of its own comes on top of what the start had.
    #expect(kernel.now.milliseconds(from: start) < 39_000)

    // Another VM is not held up: it reads nothing of that function.
    start = kernel.now
    #expect(try life.play(.prepare, RecordedLife.domain("other", on: [4, 12])) != ["x"])
    #expect(kernel.now.milliseconds(from: start) < 31_000)
    // Whoever wants the same card is told why it is not to be had.
    start = kernel.now
    let error = #expect(throws: (any Error).self) { try life.play(.prepare) { $0 = policy } }
    #expect("\(error.map { "\($0)" } ?? "")".contains("the kernel does not come back"))
    #expect(kernel.now.milliseconds(from: start) < 39_000)

    try kernel.end(at: "\(Self.card)/driver/unbind")
    _ = try life.play(.release, RecordedLife.domain("other", on: [4, 12]))
    _ = try life.releaseAll()
    #expect(try life.difference(below: "/sys/bus/pci", "/sys/devices/pci0000:40") == [])
  }

  @Test func whileAnUnbindHangsItsDeviceIsReadByNobodyForLong() throws {
    let host = try Workstation()
    try host.add(Card.lines())
    let kernel = host.kernel
    let path: HostPath = "\(Self.card)/driver_override"
    let before = try host.word(path)
    try kernel.hang(at: "\(Self.card)/driver/unbind")
    let start = kernel.now
    let write = #expect(throws: HostError.self) {
      try kernel.write(
        "0000:45:00.0", to: "\(Self.card)/driver/unbind",
        until: start.advanced(byMilliseconds: 10_000))
    }
    #expect(write?.errno == ErrorNumber.timedOut.number)
    let child = try #require(write?.leftBehind)
    #expect(try host.word("/proc/\(child)/stat").contains(" D "))
    #expect((10_000..<11_000).contains(kernel.now.milliseconds(from: start)))

    let read = #expect(throws: HostError.self) { try kernel.word(of: path) }
    #expect(read?.leftBehind != nil)
    #expect((11_900..<13_000).contains(kernel.now.milliseconds(from: start)))
    #expect(try kernel.word(of: "\(Self.card)/class").isEmpty == false)
    #expect(kernel.exists("\(Self.card)/driver"))

    try kernel.end(at: "\(Self.card)/driver/unbind")
    #expect(!kernel.exists("\(Self.card)/driver"))
    #expect(!kernel.exists("/proc/\(child)"))
    #expect(try kernel.word(of: path) == before)
  }
}
