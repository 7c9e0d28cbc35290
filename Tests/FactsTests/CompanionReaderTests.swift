import HostModel
import Support
import Testing

@testable import Facts

/// Which VM is meant that policy wants stopped: one that is called like another one's UUID is not.
struct CompanionReaderTests {
  private static let uuid = "11111111-2222-3333-4444-555555555555"
  private static let spoof = "99999999-2222-3333-4444-555555555555"

  /// A QEMU of libvirt's.
  private static func qemu(_ name: String, _ uuid: String, _ pid: Int) -> String {
    """
    run/libvirt/qemu/\(name).pid\t\(pid)
    proc/\(pid)/stat\t\(pid) (qemu) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0
    proc/\(pid)/cmdline\t/usr/bin/qemu-system-x86_64\\0-name\\0guest=\(name),debug-threads=on\\0-uuid\\0\(uuid)\\0\\c

    """
  }

  @Test(arguments: [
    (uuid, [uuid]), (uuid.uppercased(), [uuid]), (spoof, [spoof]), ("idle", [uuid]), ("101", []),
    ("nobody", []), ("test-K", []), ("test-\u{212a}", ["88888888-2222-3333-4444-555555555555"]),
  ])
  func aVMIsStoppedByItsOwnNameOrID(asked: String, found: [String]) throws {
    let host = try Workstation()
    try host.add(
      Self.qemu("idle", Self.uuid, 4711) + Self.qemu(Self.uuid, Self.spoof, 4712)
        + Self.qemu("101", "77777777-2222-3333-4444-555555555555", 4713)
        + Self.qemu("test-\u{212a}", "88888888-2222-3333-4444-555555555555", 4714))
    var needs = FactNeeds()
    needs.companions = [asked]
    let domain = Domain(hypervisor: .libvirt, name: "x", id: nil, vcpus: 1)
    let facts = try FactReader(kernel: host.kernel).facts(for: domain, needing: needs)
    #expect(facts.companions.map(\.id) == found)
  }
}
