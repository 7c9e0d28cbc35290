import Bytes
import Formats
import HostModel
import Lifecycle
internal import Recorded
internal import Support
import Testing

/// Virtual functions of the recorded host, from the policy file to the host and back; and slots that
/// are taken off the bus and found again.
struct VirtualFunctionLifeTests {
  private static let nic = "sys/devices/pci0000:40/0000:40:02.0/0000:42:00.0"
  private static let host = """
    \(nic)/sriov_numvfs\t0
    \(nic)/sriov_totalvfs\t7
    \(nic)/sriov_offset\t128
    \(nic)/sriov_stride\t2
    \(nic)/sriov_drivers_autoprobe\t1
    sys/class/net/enp66s0f0/device -> ../../../0000:42:00.0
    sys/bus/pci/drivers/igbvf/bind\t\\c
    sys/bus/pci/drivers/igbvf/unbind\t\\c

    """
  private static let drivers = """
    recorded/limits\t/sys/bus/pci/devices/0000:42:10.0 driver igbvf
    \t/sys/bus/pci/devices/0000:42:10.2 driver igbvf

    """
  private static let number = HostPath(foreign: "/\(nic)/sriov_numvfs")

  private func life(_ lines: String = "") throws -> RecordedLife {
    try RecordedLife(Self.host + Self.drivers + lines)
  }

  /// A domain with one virtual function, which nobody else binds.
  private func domain(_ name: String, _ address: String) throws -> Domain {
    var domain = RecordedLife.domain(name, on: [])
    domain.functions = [
      PassedFunction(
        address: try #require(PCIAddress(address)), isManaged: false, kind: .hostdev)
    ]
    return domain
  }

  private func policy(_ text: String) throws -> (inout Policy) -> Void {
    let file = PolicyFile("[defaults]\nisolation = \"none\"\n\(text)", named: "f")
    #expect(file.problems.map(\.description) == [])
    let policy = try file.policy(for: RecordedLife.domain()).value
    return { $0 = policy }
  }

  private func driver(of address: String, _ life: RecordedLife) -> String? {
    let link = try? life.host.kernel.destination(of: "/sys/bus/pci/devices/\(address)/driver")
    return link?.split(separator: "/").last.map(String.init)
  }

  private func told(_ life: RecordedLife, _ index: Int) throws -> [String?] {
    let states = try life.host.kernel.virtualFunctions(of: "enp66s0f0", until: .distant)
    return VirtualFunctionAttribute.allCases.map { states[index][$0] }
  }

  @Test func functionsAreMadeToldHandedOverAndTakenBack() throws {
    let life = try life()
    let domain = try domain("a", "42:10.2")
    let policy = try policy(
      """
      sriov.vfs = { "42:00.0" = 2 }
      sriov.functions."enp66s0f0/1" = { vlan = 69, mac = "52:54:00:AA:00:01", trust = true, spoof-check = false }
      """)
    #expect(try life.play(.prepare, domain, policy) == [])
    #expect(try life.word(Self.number) == "2")
    #expect(driver(of: "0000:42:10.2", life) == "vfio-pci")
    #expect(driver(of: "0000:42:10.0", life) == "igbvf")
    #expect(try told(life, 1) == ["69", "52:54:00:aa:00:01", "on", "off"])
    #expect(try told(life, 0) == ["0", "00:00:00:00:00:00", "off", "on"])
    for phase in [Phase.start, .started, .stopped] {
      #expect(try life.play(phase, domain, policy) == [])
    }
    #expect(try life.play(.release, domain, policy) == [])
    #expect(try life.difference(below: "/sys", "/recorded") == [])
  }

  @Test func twoDomainsShareAPhysicalFunctionAndAThirdWantsTooMany() throws {
    let life = try life()
    let first = try domain("a", "42:10.0")
    let second = try domain("b", "42:10.2")
    #expect(try life.play(.prepare, first, try policy("sriov.vfs = { \"42:00.0\" = 2 }")) == [])
    let fewer = try policy("sriov.vfs = { enp66s0f0 = 1 }\nsriov.functions.\"42:10.2\".vlan = 70")
    #expect(try life.play(.prepare, second, fewer) == [])
    #expect(try life.word(Self.number) == "2")
    let more = try policy("sriov.vfs = { enp66s0f0 = 4 }")
    #expect(throws: PhaseRefusal.self) {
      try life.play(.prepare, RecordedLife.domain("c", on: []), more)
    }
    #expect(try life.word(Self.number) == "2")
    #expect(try life.play(.release, first) == [])
    #expect(try life.word(Self.number) == "2" && told(life, 1)[0] == "70")
    #expect(driver(of: "0000:42:10.2", life) == "vfio-pci")
    #expect(try life.play(.release, second) == [])
    #expect(try life.difference(below: "/sys", "/recorded") == [])
  }

  @Test func aFunctionThatTheHostUsesKeepsTheNumberUntilItIsFree() throws {
    let life = try life()
    let domain = try domain("a", "42:10.0")
    #expect(try life.play(.prepare, domain, try policy("sriov.vfs = { \"42:00.0\" = 2 }")) == [])
    let flags: HostPath = "/sys/bus/pci/devices/0000:42:10.2/net/eno7/flags"
    try life.host.add(
      "\(flags.below(.root).replacing("bus/pci/devices/", with: "devices/pci0000:40/0000:40:02.0/"))"
        + "\t0x1003\nsys/class/net/eno7 -> ../../bus/pci/devices/0000:42:10.2/net/eno7\n")
    let said = try life.play(.release, domain)
    #expect(said.count == 1 && said[0].contains("the interface eno7 of 0000:42:10.2 is up"))
    #expect(try life.word(Self.number) == "2")
    try life.host.kernel.write("0x1002", to: flags)
    #expect(try life.play(.release, domain) == [])
    #expect(
      try life.difference(below: "/sys/devices", "/sys/bus", "/recorded/virtual-functions") == [])
  }

  @Test func functionsThatWereThereBeforeComeBackAsMany() throws {
    let life = try life()
    try life.host.kernel.write("1", to: Self.number)
    let policy = try policy("sriov.vfs = { \"42:00.0\" = 3 }")
    let domain = RecordedLife.domain("a", on: [])
    #expect(try life.play(.prepare, domain, policy) == [])
    #expect(try life.word(Self.number) == "3")
    #expect(try life.play(.release, domain) == [])
    #expect(try life.word(Self.number) == "1")
  }

  @Test func aDriverThatDoesNotTellIsToldNothing() throws {
    let life = try life()
    try life.host.kernel.write("1", to: Self.number)
    try RecordedHost(
      parsing: "recorded/virtual-functions/0000:42:00.0/0/trust\t?\n", from: "test"
    ).unpack(into: life.host.root)
    let policy = try policy("sriov.functions.\"enp66s0f0/0\".mac = \"52:54:00:aa:00:02\"")
    #expect(try life.play(.prepare, RecordedLife.domain("a", on: []), policy) == [])
    #expect(try told(life, 0)[1] == "52:54:00:aa:00:02")
    try life.host.kernel.set(
      .mac, to: "52:54:00:aa:00:99", ofVirtualFunction: 0, of: "enp66s0f0",
      until: life.host.kernel.now)
    let said = try life.play(.release, RecordedLife.domain("a", on: []))
    #expect(said.count == 1 && said[0].contains("which Berth did not write"))
    #expect(try told(life, 0)[1] == "52:54:00:aa:00:99")
  }

  @Test(arguments: [("1", Int32(16)), ("9", 34), ("-1", 22), ("x", 22), ("2", 0), ("0", 0)])
  func theRecordedKernelKnowsNoneAndSoMany(text: String, number: Int32) throws {
    let life = try life()
    try life.host.kernel.write("2", to: Self.number)
    do throws(HostError) {
      try life.host.kernel.write(text, to: Self.number)
      #expect(number == 0)
    } catch {
      #expect(error.errno == number)
    }
  }

  // --- slots ---

  private static let bus = "sys/class/pci_bus/0000:42/rescan\t\\c\n"
  private static let removers = """
    \(nic)/remove\t\\c
    \(nic)/d3cold_allowed\t0
    sys/devices/pci0000:40/0000:40:02.0/0000:42:00.1/remove\t\\c

    """

  @Test func aSlotIsTakenOffTheBusAndFoundAsItWas() throws {
    let lines =
      Self.bus + Self.removers + "\(Self.nic)/driver_override\tigb\n"
      + "recorded/limits\t/sys/bus/pci/devices/0000:42:00.0 driver nouveau\n"
      + "\t/sys/bus/pci/devices/0000:42:00.1 driver igb\n"
    let life = try RecordedLife(Self.host + lines)
    let domain = RecordedLife.domain("a", on: [])
    let policy = try policy("pci.rescan = [\"42:00\"]")
    #expect(try life.play(.prepare, domain, policy) == [])
    // What the kernel found took another driver first, and its override was gone.
    #expect(driver(of: "0000:42:00.0", life) == "igb")
    #expect(try life.difference(below: "/sys") == [])
    #expect(!life.host.kernel.exists("/recorded/unbound/0000:42:00.0/igb/net"))
    #expect(life.host.kernel.exists("/recorded/unbound/0000:42:00.0/nouveau") == false)
    #expect(life.host.kernel.exists("/recorded/removed/0000:42:00.0") == false)
    #expect(life.host.kernel.exists("/recorded/removed"))
    #expect(try life.play(.release, domain) == [])
    #expect(try life.difference(below: "/sys") == [])
  }

  @Test func aSlotThatCannotBeFoundAgainIsReported() throws {
    let life = try RecordedLife(
      Self.host + Self.bus + Self.removers
        + "recorded/limits\t/sys/class/pci_bus/0000:42/rescan refuses 5\n")
    let said = try life.play(
      .prepare, RecordedLife.domain("a", on: []), try policy("pci.rescan = [\"42:00\"]"))
    #expect(said.count { $0.contains("/sys/class/pci_bus/0000:42/rescan: EIO") } == 1)
    // Once the bus can be looked through, whatever comes next brings it back.
    try life.host.add("recorded/limits\t/x driver y\n")
    #expect(try life.play(.release, RecordedLife.domain("a", on: [])) == [])
    #expect(driver(of: "0000:42:00.0", life) == "igb")
  }
}
