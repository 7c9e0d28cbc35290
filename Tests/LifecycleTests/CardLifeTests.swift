import Bytes
import Formats
import HostModel
import Lifecycle
internal import Recorded
import Support
import Testing

/// A graphics card of four functions that a domain takes and gives back, by the code that a hook
/// runs and from the policy file on.
struct CardLifeTests {
  private static let phases = [Phase.start, .started, .reconnect, .stopped, .release]

  private func policy(_ text: String) throws -> Policy {
    let file = PolicyFile("[defaults]\nisolation = \"none\"\n\(text)", named: "f")
    #expect(file.problems.map(\.description) == [])
    return try file.policy(for: RecordedLife.domain()).value
  }

  private func driver(_ life: RecordedLife, _ number: Int) throws -> String? {
    let link: HostPath = "/sys/bus/pci/devices/0000:45:00.\(number)/driver"
    guard life.host.kernel.exists(link) else { return nil }
    return try life.host.kernel.destination(of: link).split(separator: "/").last.map(String.init)
  }

  private func word(_ life: RecordedLife, _ attribute: String) throws -> String {
    try life.word("/sys/bus/pci/devices/0000:45:00.0/\(below: attribute)")
  }

  @Test func everyFunctionOfASlotIsTakenAndGoesBackToItsOwnDriver() throws {
    let life = try RecordedLife(Card.lines())
    let policy = try policy("pci.bind = [\"0000:45:00\"]")
    #expect(try life.play(.prepare) { $0 = policy } == [])
    #expect(try (0..<4).map { try driver(life, $0) } == Array(repeating: "vfio-pci", count: 4))
    #expect(try word(life, "power/control") == "auto")
    for phase in Self.phases { #expect(try life.play(phase) { $0 = policy } == []) }
    #expect(try (0..<4).map { try driver(life, $0) } == Card.drivers)
    // A VFIO driver leaves each awake, whatever it was before.
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func aSlotThatTheHostLacksIsRefusedByName() throws {
    let life = try RecordedLife(Card.lines())
    let policy = try policy("pci.bind = [\"46:00\"]")
    let refusal = try #require(throws: PhaseRefusal.self) {
      try life.play(.prepare) { $0 = policy }
    }
    #expect(refusal.reasons.joined().contains("0000:46:00.0, which this host does not have"))
  }

  @Test func whoHasItOpenIsNamedUnlessItIsForced() throws {
    let users = (0..<6).map { number in
      "proc/90\(number)/comm\tplayer\(number)\nproc/90\(number)/fd/3 -> /dev/dri/card1\n"
    }
    let sound = "proc/880/comm\twireplumber\nproc/880/fd/9 -> /dev/snd/controlC2\n"
    let life = try RecordedLife(Card.lines() + users.joined() + sound)
    let bind = "pci.bind = [\"0000:45:00\"]"
    let taking = try policy(bind)
    let refusal = try #require(throws: PhaseRefusal.self) {
      try life.play(.prepare) { $0 = taking }
    }
    #expect(refusal.reasons.count == 2)
    #expect(refusal.reasons[0].contains("/dev/dri/card1 is open in player0 (process 900)"))
    #expect(refusal.reasons[0].contains("player3 (process 903) and 2 more processes; end them"))
    #expect(refusal.reasons[1].contains("/dev/snd/controlC2 is open in wireplumber (process 880)"))
    #expect(try life.difference(below: "/sys", "/proc") == [])
    let forced = try policy("\(bind)\npci.force = [\"45:00\"]")
    #expect(try life.play(.prepare) { $0 = forced } == [])
    #expect(try driver(life, 0) == "vfio-pci")
  }

  @Test func noForceTakesACardFromTheUsersOfNVIDIAsDriver() throws {
    let life = try RecordedLife(
      Card.lines(gpu: "nvidia")
        + "proc/driver/nvidia/gpus/0000:45:00.0/information\tDevice Minor: 0\n"
        + "proc/900/comm\tpersistenced\nproc/900/fd/4 -> /dev/nvidiactl\n")
    let policy = try policy("pci.bind = [\"45:00.0\"]\npci.force = [\"45:00.0\"]")
    let refusal = try #require(throws: PhaseRefusal.self) {
      try life.play(.prepare) { $0 = policy }
    }
    #expect(refusal.reasons[0].contains("/dev/nvidiactl is open in persistenced (process 900)"))
    #expect(refusal.reasons[0].contains("for ever, which pci.force does not change"))
    #expect(try driver(life, 0) == "nvidia")
  }

  /// Where a service is stopped first, its card is looked at only when the driver is to let go.
  @Test func usersThatOutliveTheStoppedServicesAreFoundInTime() throws {
    let open = "proc/900/comm\tXorg\nproc/900/fd/4 -> /dev/dri/card1\n"
    let text = "pci.bind = [\"45:00.0\"]\nservices.stop = [\"no-such-unit\"]"
    let policy = try policy(text)
    let other = try RecordedLife(Card.lines() + open)
    #expect(try other.play(.prepare) { $0 = policy }.count == 1)
    #expect(try driver(other, 0) == "vfio-pci")
    let life = try RecordedLife(Card.lines(gpu: "nvidia") + open)
    let refusal = try #require(throws: PhaseRefusal.self) {
      try life.play(.prepare) { $0 = policy }
    }
    #expect(refusal.reasons[0].contains("/dev/dri/card1 is open in Xorg (process 900)"))
    #expect(try driver(life, 0) == "nvidia")
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test(arguments: ["", "pci.wait = \"100ms\""])
  func aCardThatLibvirtBindsIsLookedAtWhetherPolicyWaitsOrNot(text: String) throws {
    var domain = RecordedLife.domain()
    domain.functions = [
      PassedFunction(address: try Card.address(0), isManaged: true, kind: .hostdev)
    ]
    let open = "proc/900/comm\tXorg\nproc/900/fd/4 -> /dev/dri/card1\n"
    let life = try RecordedLife(Card.lines() + open)
    let policy = try policy(text)
    let warnings = try life.play(.prepare, domain) { $0 = policy }
    #expect(warnings.count == 1 && warnings[0].contains("while /dev/dri/card1 is open in Xorg"))
  }

  /// Proxmox gives nothing back, and its driver leaves the card awake.
  @Test func whatProxmoxTakesGoesBackAndSleepsAsItDid() throws {
    let life = try RecordedLife(Card.lines())
    var domain = RecordedLife.domain()
    domain.hypervisor = .proxmox
    domain.functions = [
      PassedFunction(address: try Card.address(0), isManaged: true, kind: .hostpci)
    ]
    let policy = try policy("pci.reset-method = \"bus\"\ndisplay.release-consoles = true")
    #expect(try life.play(.prepare, domain) { $0 = policy } == [])
    #expect(try life.word("/sys/class/vtconsole/vtcon3/bind") == "0")
    let function: HostPath = "/sys/bus/pci/devices/0000:45:00.0"
    let address = "0000:45:00.0"
    try life.host.kernel.write(address, to: "\(function)/driver/unbind")
    try life.host.kernel.write("vfio-pci", to: "\(function)/driver_override")
    try life.host.kernel.write(address, to: "/sys/bus/pci/drivers_probe")
    try life.host.kernel.write("\n", to: "\(function)/driver_override")
    #expect(try driver(life, 0) == "vfio-pci" && word(life, "reset_method") == "bus")
    for phase in Self.phases { #expect(try life.play(phase, domain) { $0 = policy } == []) }
    #expect(try driver(life, 0) == "amdgpu" && word(life, "power/control") == "auto")
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func consolesLeaveTheDisplayAndComeBack() throws {
    let life = try RecordedLife(Card.lines())
    let policy = try policy("pci.bind = [\"45:00.0\"]\ndisplay.release-consoles = true")
    #expect(try life.play(.prepare) { $0 = policy } == [])
    let bound = { (number: Int) in try life.word("/sys/class/vtconsole/vtcon\(number)/bind") }
    #expect(try bound(3) == "0" && bound(0) == "1")
    for phase in Self.phases { #expect(try life.play(phase) { $0 = policy } == []) }
    #expect(try bound(3) == "1" && bound(0) == "0")
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func theFirmwaresFramebufferGoesWithTheDisplayAsIsSaid() throws {
    let life = try RecordedLife(Card.lines() + Card.framebuffer)
    let policy = try policy("pci.bind = [\"45:00.0\"]\ndisplay.release-consoles = true")
    let warnings = try life.play(.prepare) { $0 = policy }
    #expect(warnings.count == 1 && warnings[0].hasPrefix("efi-framebuffer.0 goes with the display"))
    for phase in Self.phases { #expect(try life.play(phase) { $0 = policy } == []) }
    let left = try life.difference(below: "/sys")
    #expect(left.allSatisfy { $0.contains("efi-framebuffer") } && !left.isEmpty)
  }

  @Test func aFramebufferThatTheKernelLeavesGetsItsDriverBack() throws {
    let life = try RecordedLife(Card.lines() + Card.framebuffer)
    // On pci-stub nothing takes it away.
    let policy = try policy(
      "pci.bind = [\"45:00.0\"]\npci.driver = \"pci-stub\"\ndisplay.release-consoles = true")
    try life.host.add(
      "sys/bus/pci/drivers/pci-stub/bind\t\\c\nsys/bus/pci/drivers/pci-stub/unbind\t\\c\n")
    _ = try life.play(.prepare) { $0 = policy }
    #expect(!life.host.kernel.exists("/sys/bus/platform/devices/efi-framebuffer.0/driver"))
    #expect(try life.play(.release) { $0 = policy } == [])
    #expect(
      try life.difference(below: "/sys/devices", "/sys/class", "/sys/bus/platform") == [])
  }

  @Test func modulesAreUnloadedAndLoadedAgain() throws {
    let life = try RecordedLife(Card.lines(gpu: "nvidia") + Card.modules)
    let policy = try policy(
      """
      pci.bind = ["45:00"]
      pci.unload = ["nvidia-drm", "nvidia_modeset", "nvidia_uvm", "nvidia", "dummy"]
      """)
    #expect(try life.play(.prepare) { $0 = policy } == [])
    #expect(!life.host.kernel.exists("/sys/module/nvidia"))
    #expect(try driver(life, 0) == "vfio-pci")
    for phase in Self.phases { #expect(try life.play(phase) { $0 = policy } == []) }
    #expect(try driver(life, 0) == "nvidia")
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func aModuleThatSomebodyUsesStaysAndIsNamedWithHim() throws {
    let life = try RecordedLife(Card.lines(gpu: "nvidia") + Card.modules)
    let policy = try policy("pci.bind = [\"45:00\"]\npci.unload = [\"nvidia_modeset\"]")
    let warnings = try life.play(.prepare) { $0 = policy }
    #expect(warnings.count == 1 && warnings[0].contains("nvidia_drm uses it"))
    #expect(try life.play(.release) { $0 = policy } == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func attributesAreSetAndGivenBack() throws {
    let life = try RecordedLife(Card.lines())
    let policy = try policy(
      """
      pci.bind = ["45:00"]
      pci.reset-method = "bus"
      pci.d3cold = false
      pci.power-control = "on"
      """)
    #expect(try life.play(.prepare) { $0 = policy } == [])
    #expect(try word(life, "reset_method") == "bus" && word(life, "d3cold_allowed") == "0")
    #expect(try word(life, "power/control") == "on")
    #expect(try life.word("/sys/bus/pci/devices/0000:45:00.1/reset_method") == "")
    for phase in Self.phases { #expect(try life.play(phase) { $0 = policy } == []) }
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func whatSomebodyElseChangedStaysAndAWayToResetThatIsGoneIsSaid() throws {
    let life = try RecordedLife(Card.lines())
    let policy = try policy(
      "pci.bind = [\"45:00.0\"]\npci.reset-method = \"bus\"\npci.d3cold = false")
    #expect(try life.play(.prepare) { $0 = policy } == [])
    let function: HostPath = "/sys/bus/pci/devices/0000:45:00.0"
    let place: HostPath = "/sys/devices/pci0000:40/0000:40:03.1/0000:45:00.0/reset_method"
    try life.host.kernel.write("default", to: "\(function)/reset_method")
    try life.host.kernel.write("1", to: "\(function)/d3cold_allowed")
    #expect(try life.play(.release) { $0 = policy } == [])
    #expect(try life.play(.prepare) { $0 = policy } == [])
    try life.host.add("recorded/limits\t\(place) resets bus\n")
    let failures = try life.play(.release) { $0 = policy }
    #expect(failures.count == 1 && failures[0].contains("is not possible any more"))
    #expect(try word(life, "reset_method") == "bus")
    #expect(try word(life, "d3cold_allowed") == "1" && driver(life, 0) == "amdgpu")
  }
}
