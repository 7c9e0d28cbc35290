import Bytes
import Formats
import HostModel
internal import Recorded
import Support
import Testing

/// The size of a card's BAR while a domain has the card, by the code that a hook runs and from the
/// policy file on.
struct BARLifeTests {
  private static let function = "sys/devices/pci0000:40/0000:40:03.1/0000:45:00.0"
  private static let bind = "pci.bind = [\"45:00.0\"]\n"
  private static let wish = "pci.bar-size = { \"0000:45:00.0/0\" = \"16GiB\" }\n"

  /// The card has 256 MiB at BAR 0, and may have 256 MiB to 16 GiB.
  private static let bars = """
    \(function)/resource\t0x0000008000000000 0x000000800fffffff 0x000000000014220c
    \t0x0000000000000000 0x0000000000000000 0x0000000000000000
    \t0x0000008010000000 0x00000080101fffff 0x000000000014220c
    \(function)/resource0_resize\t0000000000007f00
    \(function)/resource2_resize\t0000000000000002

    """

  private func life(limits: String = "") throws -> RecordedLife {
    // Before the card's own limits, which stand in the same file.
    try RecordedLife(
      Card.lines().replacing("recorded/limits\t", with: "recorded/limits\t\(limits)") + Self.bars)
  }

  private func policy(_ text: String) throws -> Policy {
    let file = PolicyFile("[defaults]\nisolation = \"none\"\n\(text)", named: "f")
    #expect(file.problems.map(\.description) == [])
    return try file.policy(for: RecordedLife.domain()).value
  }

  private func end(_ life: RecordedLife) throws -> String {
    let lines = try life.word("/\(below: Self.function)/resource").split(separator: "\n")
    return String(lines[0].split(separator: " ")[1])
  }

  private func driver(_ life: RecordedLife) throws -> String? {
    try life.host.kernel.destination(of: "/\(below: Self.function)/driver").split(separator: "/")
      .last
      .map(String.init)
  }

  @Test func isAsPolicyWantsItWhileTheDomainIsInAndAsItWasAfterwards() throws {
    let life = try life()
    let policy = try policy(Self.bind + Self.wish)
    #expect(try life.play(.prepare) { $0 = policy } == [])
    #expect(try end(life) == "0x00000083ffffffff")
    #expect(try driver(life) == "vfio-pci")
    for phase in [Phase.start, .started, .reconnect, .stopped, .release] {
      #expect(try life.play(phase) { $0 = policy } == [])
    }
    #expect(try driver(life) == "amdgpu")
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func staysAsItIsWhereTheBridgeHasNoRoom() throws {
    let life = try life(limits: "/\(Self.function)/resource0_resize window 4096\n\t")
    let policy = try policy(Self.bind + Self.wish)
    let warnings = try life.play(.prepare) { $0 = policy }
    #expect(warnings.count == 1 && warnings[0].contains("has no room for it"), "\(warnings)")
    #expect(try end(life) == "0x000000800fffffff")
    #expect(try driver(life) == "vfio-pci")
    #expect(try life.play(.release) { $0 = policy } == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test(arguments: [
    (
      "", wish,
      "BAR 0 of 0000:45:00.0 keeps its size: it is not Berth that binds the function; name it under pci.bind"
    ),
    (
      bind, "pci.bar-size = { \"45:00.0/0\" = \"32GiB\" }",
      "BAR 0 of 0000:45:00.0 keeps its size: it offers 256 MiB, 512 MiB, 1 GiB, 2 GiB, 4 GiB, 8 GiB, 16 GiB"
    ),
    (
      bind, "pci.bar-size = { \"45:00.0/1\" = \"1GiB\" }",
      "BAR 1 of 0000:45:00.0 keeps its size: this host has none such"
    ),
  ])
  func isLeftAloneWhereItCannotBe(bind: String, wish: String, warning: String) throws {
    let life = try life()
    let policy = try policy(bind + wish)
    #expect(try life.play(.prepare) { $0 = policy } == [warning])
    #expect(try end(life) == "0x000000800fffffff")
    #expect(try life.play(.release) { $0 = policy } == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  /// The driver is off the function while the size changes: whoever dies then leaves it so.
  @Test func aDeathWhileNoDriverHasTheFunctionIsPutRight() throws {
    let life = try life()
    let policy = try policy(Self.bind + Self.wish)
    #expect(try life.play(.prepare) { $0 = policy } == [])
    try life.host.kernel.write("0000:45:00.0", to: "/sys/bus/pci/drivers/vfio-pci/unbind")
    #expect(try life.releaseAll() == [])
    #expect(try driver(life) == "amdgpu")
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func staysAsSomebodyElseMadeIt() throws {
    let life = try life()
    let policy = try policy(Self.bind + Self.wish)
    #expect(try life.play(.prepare) { $0 = policy } == [])
    let link: HostPath = "/sys/bus/pci/drivers/vfio-pci"
    try life.host.kernel.write("0000:45:00.0", to: "\(link)/unbind")
    try life.host.kernel.write("10", to: "/\(below: Self.function)/resource0_resize")
    try life.host.kernel.write("0000:45:00.0", to: "\(link)/bind")
    _ = try life.play(.release) { $0 = policy }
    #expect(try end(life) == "0x000000803fffffff")
    #expect(try driver(life) == "amdgpu")
  }

  @Test(arguments: [
    "pci.bar-size = { \"45:00.0\" = \"16GiB\" }", "pci.bar-size = { \"45:00.0/6\" = \"16GiB\" }",
    "pci.bar-size = { \"45:00.0/0\" = \"3GiB\" }", "pci.bar-size = { \"45:00.0/0\" = 16 }",
    "pci.bar-size = { \"45:00.0/0\" = \"1GiB\", \"0000:45:00.0/0\" = \"2GiB\" }",
    "pci.bar-size = []",
  ])
  func isNoSize(text: String) {
    #expect(PolicyFile("[defaults]\n\(text)", named: "f").problems.count == 1)
  }
}
