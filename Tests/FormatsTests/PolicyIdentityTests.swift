import HostModel
import Testing

@testable import Formats

/// Whom a section is for: what a tenant calls a VM chooses neither another's section nor the absence of
/// its own.
struct PolicyIdentityTests {
  private static let uuid = "7d3c9a52-1f0e-4b6d-8a34-2c5be1907f11"
  private static let stranger = "00000000-1111-2222-3333-444444444444"

  private static func libvirt(_ name: String, _ id: String? = stranger) -> Domain {
    Domain(hypervisor: .libvirt, name: name, id: id, vcpus: 2)
  }

  private static func proxmox(_ name: String, _ vmid: String = "101") -> Domain {
    Domain(hypervisor: .proxmox, name: name, id: vmid, vcpus: 2)
  }

  private static func isFor(_ section: String, _ domain: Domain, names: Bool = false) -> Bool {
    let quoted = section.replacing("\\", with: "\\\\")
    return PolicyFile("proxmox.names = \(names)\n[vm.\"\(quoted)\"]", named: "f").names(domain)
  }

  /// A section, a VM, and whether it is for it, by itself and where names count on Proxmox.
  @Test(arguments: [
    (uuid, libvirt("x", uuid), true, true), (uuid.uppercased(), libvirt("x", uuid), true, true),
    (uuid.replacing("-", with: ""), libvirt("x", uuid), true, true),
    (uuid, libvirt(uuid), false, false),
    (uuid.replacing("-", with: ""), libvirt(uuid), false, false),
    (uuid, libvirt(uuid.replacing("-", with: "")), false, false),
    (uuid, proxmox(uuid), false, false),
    ("101", proxmox("x"), true, true), ("101", proxmox("101", "102"), false, false),
    ("101", libvirt("101"), false, false), ("0101", proxmox("x"), false, false),
    ("web", libvirt("web"), true, true), ("web", proxmox("web"), false, true),
    ("test-K", libvirt("test-\u{212a}"), false, false),
    ("caf\u{e9}", libvirt("cafe\u{301}"), false, false),
    ("caf\u{e9}", libvirt("caf\u{e9}"), true, true),
    ("w*", libvirt("web"), true, true), ("w*", proxmox("web"), false, true),
    ("*", libvirt("web"), true, true), ("*", proxmox("web"), true, true),
    ("???", proxmox("web"), true, true), ("????", proxmox("webs"), false, false),
    ("1*", proxmox("web"), true, true), ("1*", libvirt("1web"), false, false),
    ("[0-9]0[12]", proxmox("web"), true, true), ("[0-9]*", libvirt("1"), false, false),
    ("7d3c9a52-*", libvirt("x", uuid), true, true),
    ("7d3c9a52-*", libvirt("7d3c9a52-x"), false, false),
    ("7d3c9a52-*", libvirt("7d3c9a52-*"), false, false), ("web[1]", libvirt("web[1]"), true, true),
    ("web[1]", libvirt("web1"), true, true), ("2024-*", libvirt("2024-a"), true, true),
  ])
  func aSectionIsForWhatItIsWrittenAs(
    section: String, domain: Domain, alone: Bool, countingNames: Bool
  ) {
    #expect(Self.isFor(section, domain) == alone)
    #expect(Self.isFor(section, domain, names: true) == countingNames)
  }

  @Test(arguments: [
    "[vm.\"\(uuid)\"]\nenabled = false\n[vm.free]\nenabled = true",
    "[vm.\"7d3c9a52-*\"]\nenabled = false\n[vm.free]\nenabled = true",
    "[vm.free]\nenabled = true\n[vm.\"*\"]\nenabled = true\n[vm.\"\(uuid)\"]\nenabled = false",
  ])
  func anIDIsStrongerThanAnyName(text: String) throws {
    let file = PolicyFile(text, named: "f")
    #expect(try !file.policy(for: Self.libvirt("free", Self.uuid)).value.isEnabled)
    #expect(try file.policy(for: Self.libvirt("free")).value.isEnabled)
  }

  @Test func profilesAndErrorsGoByBytes() throws {
    let file = PolicyFile(
      """
      [profile."caf\u{e9}"]
      enabled = false
      [profile."cafe\u{301}"]
      isolation = "none"
      [vm.a]
      profile = "caf\u{e9}"
      [vm."\u{e9}"]
      enabled = 1
      [vm.b]
      profile = "\u{212a}"
      """, named: "f")
    let policy = try file.policy(for: Self.libvirt("a")).value
    #expect(!policy.isEnabled && policy.isolation == .auto)
    #expect(throws: PolicyError.self) { try file.policy(for: Self.libvirt("\u{e9}")) }
    #expect(throws: Never.self) { try file.policy(for: Self.libvirt("e\u{301}")) }
    #expect(throws: PolicyError.self) { try file.policy(for: Self.libvirt("b")) }
  }

  @Test(arguments: [
    (uuid, libvirt(uuid), "is for the VM with that id"), ("101", libvirt("101"), "with that id"),
    ("web", proxmox("web"), "names = true under [proxmox]"), ("w*", proxmox("web"), "[vm.\"101\"]"),
    ("web", libvirt("web"), ""), ("101", proxmox("x"), ""),
  ])
  func saysOfASectionWhyItIsNotForAVM(section: String, domain: Domain, words: String) throws {
    let warnings = try PolicyFile("[vm.\"\(section)\"]", named: "f").policy(for: domain).warnings
    #expect(warnings.count == (words.isEmpty ? 0 : 1))
    #expect(warnings.allSatisfy { $0.contains(words) }, "\(warnings)")
  }

  /// A file, and what there is to say of it on a host of libvirt's or of Proxmox's.
  @Test(arguments: [
    ("[vm.\"\(uuid)\"]\n[vm.\"\(uuid.uppercased())\"]", "f:2: ", "are for one VM", true, true),
    ("[vm.\"caf\u{e9}\"]\n[vm.\"cafe\u{301}\"]", "f:2: ", "look alike", true, true),
    (
      "[vm.\"a-*\"]\nenabled = true\n[vm.\"*\"]\nenabled = false", "f:3: ", "enabled of", true, true
    ),
    ("[vm.\"007\"]", "f:1: ", "no VM of Proxmox has the vmid 007", true, true),
    ("[vm.\"99\"]", "f:1: ", "no VM of Proxmox has the vmid 99", true, true),
    ("[vm.\"101\"]", "f:1: ", "is for the vmid of Proxmox's", true, false),
    ("[vm.web]", "f:1: ", "write the vmid", false, true),
    ("[vm.\"w*\"]", "f:1: ", "write the vmid", false, true),
  ])
  func warnsOfWhatNothingComesOf(
    text: String, place: String, words: String, onLibvirt: Bool, onProxmox: Bool
  ) {
    let file = PolicyFile(text, named: "f")
    for (hypervisor, isExpected) in [(Hypervisor.libvirt, onLibvirt), (.proxmox, onProxmox)] {
      let found = file.cautions(on: hypervisor).map { "\($0)" }
        .filter { $0.contains(words) }
      #expect(found.count == (isExpected ? 1 : 0) || words == "write the vmid", "\(found)")
      #expect(found.isEmpty != isExpected && found.allSatisfy { $0.hasPrefix(place) }, "\(found)")
    }
    #expect(file.problems.isEmpty)
  }

  @Test(arguments: [
    "[vm.a]\nenabled = true\n[vm.b]\nenabled = false\n[vm.\"a*\"]\nenabled = true",
    "[vm.\"*\"]\nenabled = true\n[vm.\"a-*\"]\nenabled = false",
    "[vm.\"a-*\"]\nisolation = \"none\"\n[vm.\"*\"]\nenabled = false",
    "[vm.\"b*\"]\nenabled = true\n[vm.\"a*\"]\nenabled = false",
    "[vm.\"7d3c9a52-*\"]\nenabled = true\n[vm.\"*\"]\nenabled = false",
  ])
  func saysNothingOfWhatIsRight(text: String) {
    #expect(PolicyFile(text, named: "f").cautions(on: .libvirt).isEmpty)
  }
}
