import Bytes
import Testing

@testable import HostModel

struct VMReferenceTests {
  private static let uuid = "7d3c9a52-1f0e-4b6d-8a34-2c5be1907f11"

  /// What stands somewhere, and what it says.
  @Test(arguments: [
    (uuid, VMReference.uuid(uuid)), ("7D3C9A52-1F0E-4B6D-8A34-2C5BE1907F11", .uuid(uuid)),
    ("7d3c9a521f0e4b6d8a342c5be1907f11", .uuid(uuid)),
    (" 7d3c9a52 1f0e4b6d-8a342c5be1907f11 ", .uuid(uuid)),
    ("100", .vmid("100")), ("007", .vmid("007")), ("0", .vmid("0")),
    (
      "7d3c9a52-1f0e-4b6d-8a34-2c5be1907f1", .name(ExactText("7d3c9a52-1f0e-4b6d-8a34-2c5be1907f1"))
    ),
    ("vm100", .name(ExactText("vm100"))), ("\u{0661}00", .name(ExactText("\u{0661}00"))),
    ("", .name(ExactText(""))),
  ])
  func whatIsWrittenAsAnIDIsAnID(text: String, reference: VMReference) {
    #expect(VMReference(text) == reference)
  }

  @Test(arguments: [
    (uuid, Hypervisor.libvirt, uuid, "x", true), (uuid, .libvirt, "other", uuid, false),
    (uuid, .proxmox, uuid, "x", false), ("100", .proxmox, "100", "x", true),
    ("100", .libvirt, "100", "100", false), ("100", .proxmox, "101", "100", false),
    ("web", .libvirt, uuid, "web", true), ("web", .proxmox, "100", "web", true),
    ("test-K", .libvirt, uuid, "test-\u{212a}", false),
    ("caf\u{e9}", .libvirt, uuid, "cafe\u{301}", false),
  ])
  func isForOneVM(text: String, hypervisor: Hypervisor, id: String, name: String, isFor: Bool) {
    #expect(VMReference(text).isFor(hypervisor, id: id, name: name) == isFor)
  }

  @Test func aDomainWithoutAnIDHoldsNothingOfOneWithAnID() {
    let bare = Domain(hypervisor: .libvirt, name: Self.uuid, id: nil, vcpus: 1)
    let other = Domain(hypervisor: .libvirt, name: "x", id: Self.uuid, vcpus: 1)
    #expect(bare.holder != other.holder && !bare.isSame(as: other))
    #expect(HolderID("\(bare.holder)") == bare.holder)
    #expect(OwnService.unitPart(bare.holder.id) != OwnService.unitPart(other.holder.id))
  }

  @Test func noTwoHoldersShareAUnit() {
    let holders = [
      "100", Self.uuid, "name:a b", "name:a-b", "name:a", String(repeating: "a", count: 65),
      String(repeating: "a", count: 66),
    ]
    #expect(Set(holders.map { OwnService.unitPart($0) }).count == holders.count)
    #expect(OwnService.unitPart(Self.uuid) == Self.uuid && OwnService.unitPart("100") == "100")
  }

  /// A guest that runs, and whose it is.
  @Test(arguments: [
    (Hypervisor.libvirt, "101", Hypervisor.proxmox, "101", "web", false),
    (.proxmox, "101", .proxmox, "101", "web", true), (.proxmox, "101", .libvirt, "u", "101", false),
    (.libvirt, "web", .libvirt, "u", "web", true), (.libvirt, "u", .libvirt, "u", "web", false),
  ])
  func aGuestIsOfItsHypervisor(
    of guest: Hypervisor, called name: String, hypervisor: Hypervisor, id: String, own: String,
    isFor: Bool
  ) {
    #expect(
      TopologyGuest(name: name, hypervisor: guest).isFor(hypervisor, id: id, name: own) == isFor)
  }
}
