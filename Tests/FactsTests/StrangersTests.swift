import Bytes
import HostModel
import Port
import Support
import Testing

@testable import Facts

/// What somebody who has no part in a VM can keep from being read.
struct StrangersTests {
  private let domain = Domain(hypervisor: .libvirt, name: "gaming", id: "x", vcpus: 2)

  @Test func noTaskAndNoInterruptKeepsAPlanFromBeingMade() throws {
    let host = try Workstation()
    try host.add("proc/640/stat\tno status at all\n")
    let kernel = Unreadable(kernel: host.kernel) { path in
      path == "/proc/irq/24/smp_affinity_list" ? 5 : nil
    }
    var needs = FactNeeds()
    needs.interrupts = true
    needs.kernelWork = .always
    needs.pinnedTasks = true
    let facts = try FactReader(kernel: kernel).facts(for: domain, needing: needs)
    #expect(!facts.skipped.isEmpty)
    #expect(facts.skipped.allSatisfy { $0.contains("/proc/") }, "\(facts.skipped)")
  }

  private func uses(on kernel: some KernelReader) throws -> [String] {
    var needs = FactNeeds()
    needs.functions = [try #require(PCIAddress("0000:43:00.0"))]
    let facts = try FactReader(kernel: kernel).facts(for: domain, needing: needs)
    return try #require(facts.functions.first).hostUses.map(\.description)
  }

  @Test func whereTheMountsCannotBeReadADiskIsPerhapsMounted() throws {
    let host = try Workstation()
    let free = try uses(on: host.kernel)
    let kernel = Unreadable(kernel: host.kernel) { $0 == "/proc/1/mountinfo" ? 13 : nil }
    let uses = try uses(on: kernel)
    #expect(free.allSatisfy { !$0.begins(with: "perhaps") })
    #expect(uses.contains { $0.begins(with: "perhaps mounted (nvme") }, "\(uses)")
  }

  private static let odd = "36 35 98:0 /m /a\\040b rw,noatime shared:1 master:2 - ext4 /dev/x rw"

  private func point(in text: [UInt8], _ number: String?, _ name: String) throws -> String? {
    let host = try Workstation()
    let disk = MountTable.Disk(name: name, number: number)
    return try MountTable(of: Mounted(kernel: host.kernel, table: text), with: [disk]).points[name]
  }

  @Test func aMountIsFoundAmongMillionsOfBytesOfOthers() throws {
    var text: [UInt8] = []
    for number in 0..<40_000 {
      text +=
        "\(number) 28 0:50 / /home/u/".utf8 + [UInt8](repeating: 0xff, count: 100)
        + " rw - fuse.x x rw\n".utf8
    }
    text += Array(Self.odd.utf8)
    #expect(text.count > 5_000_000)
    #expect(try point(in: text, "98:0", "y") == "/a b")
    #expect(try point(in: text, nil, "x") == "/a b")
    #expect(try point(in: text, "98:1", "y") == nil)
  }

  @Test(arguments: [
    "", "\n\n", "36", "36 35 98:0 / /a rw -", "36 35 98:0 / /a rw - ext4", "- - - - - - - -",
    "36 35 98:0 / /a\\9 rw - ext4 /dev/x",
  ])
  func aLineThatIsNoMountIsPassedOver(line: String) throws {
    #expect(try point(in: Array((line + "\n" + Self.odd).utf8), "98:0", "x") != nil)
  }
}

/// A host with a table of mounts of its own.
private struct Mounted: AlteredReader {
  var kernel: any KernelReader
  var table: [UInt8]

  func bytes(of path: HostPath) throws(HostError) -> [UInt8] {
    path == "/proc/1/mountinfo" ? table : try kernel.bytes(of: path)
  }
}
