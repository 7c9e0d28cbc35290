import HostModel
import Testing

@testable import Formats

/// What the policy file says of virtual functions and slots.
struct VirtualFunctionPolicyTests {
  private func file(_ text: String) -> PolicyFile { PolicyFile("[defaults]\n\(text)", named: "f") }

  @Test func readsNumbersAndWishesInTheOrderOfTheirNames() throws {
    let file = file(
      """
      sriov.vfs = { enp65s0 = 3, "41:00.0" = 2 }
      sriov.functions."enp65s0/1" = { trust = true, vlan = 69 }
      sriov.functions."0000:41:10.0" = { mac = "52:54:00:AB:CD:EF", spoof-check = false }
      pci.rescan = ["0b:00", "0000:0b:00", "10000:e1:1f"]
      """)
    #expect(file.problems.map(\.description) == [])
    let policy = try file.policy(for: RecordedLife.domain()).value
    #expect(
      policy.sriov.numbers == [
        Policy.SRIOV.Number(physical: "0000:41:00.0", count: 2),
        Policy.SRIOV.Number(physical: "enp65s0", count: 3),
      ])
    #expect(
      policy.sriov.functions == [
        Policy.SRIOV.Function(
          name: "0000:41:10.0",
          wishes: [
            Policy.SRIOV.Wish(.mac, "52:54:00:ab:cd:ef"), Policy.SRIOV.Wish(.spoofCheck, "off"),
          ]),
        Policy.SRIOV.Function(
          name: "enp65s0/1",
          wishes: [Policy.SRIOV.Wish(.vlan, "69"), Policy.SRIOV.Wish(.trust, "on")]),
      ])
    #expect(policy.pci.rescanned.map(\.description) == ["0000:0b:00", "10000:e1:1f"])
  }

  @Test(arguments: [
    "sriov.vfs = 2", "sriov.vfs = { enp65s0 = 0 }", "sriov.vfs = { enp65s0 = \"2\" }",
    "sriov.vfs = { \"../../x\" = 2 }", "sriov.vfs = { \"..\" = 2 }", "sriov.vfs = { \"a b\" = 2 }",
    "sriov.vfs = { an-interface-too-long = 2 }", "sriov.functions = { enp65s0 = { vlan = 1 } }",
    "sriov.functions.\"enp65s0/1\" = 69", "sriov.functions.\"enp65s0/-1\" = { vlan = 1 }",
    "sriov.functions.\"enp65s0/01\" = { vlan = 1 }", "sriov.functions.\"a/b/1\" = { vlan = 1 }",
    "sriov.functions.\"enp65s0/1\" = { vlan = 4095 }",
    "sriov.functions.\"enp65s0/1\" = { mac = \"01:00:5e:00:00:01\" }",
    "sriov.functions.\"enp65s0/1\" = { mac = \"00:00:00:00:00:00\" }",
    "sriov.functions.\"enp65s0/1\" = { mac = \"52:54:00\" }",
    "sriov.functions.\"enp65s0/1\" = { trust = \"on\" }",
    "sriov.functions.\"enp65s0/1\" = { rate = 5 }",
    "pci.rescan = \"0b:00\"", "pci.rescan = [\"0b:00.0\"]", "pci.rescan = [\"0b\"]",
  ])
  func refusesWhatMeansNothing(text: String) {
    #expect(file(text).problems.count == 1)
  }

  @Test(arguments: [
    ("69", "69"), ("69 qos 3", "69 qos 3"), ("69 qos 0", "69"),
    ("5 qos 7 proto 802.1ad", "5 qos 7 proto 802.1ad"), ("5 proto 802.1ad", "5 proto 802.1ad"),
    ("4096", nil), ("1 qos", nil), ("1 qos 8", nil), ("1 proto ip", nil), ("", nil),
  ])
  func readsVLANsAsTheyAreShown(text: String, written: String?) {
    #expect(VLANTag(text)?.description == written)
  }
}
