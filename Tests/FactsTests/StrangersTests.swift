import Bytes
import HostModel
import Port
import Recorded
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

  /// The disk of the workstation that nothing stands on, and what the kernel answers of it and of its part.
  @Test(
    arguments: [
      (nil, nil, nil, []), (nil, nil, "zfs_member", ["a member of a ZFS pool (nvme1n1p1)"]),
      (nil, nil, "LVM2_member", []), ("no", nil, "zfs_member", []), ("no", "no", nil, []),
      ("yes", "yes", nil, ["in use by the kernel or a program (nvme1n1p1)"]),
      ("yes", "yes", "ext4", ["in use by the kernel or a program (nvme1n1p1)"]),
      ("yes", "yes", "LVM2_member", ["a disk of LVM (nvme1n1p1)"]),
      ("yes", "no", nil, ["in use by the kernel or a program (nvme1n1)"]),
    ] as [(String?, String?, String?, [String])])
  func theKernelKnowsWhoHasADisk(
    whole: String?, part: String?, content: String?, uses: [String]
  ) throws {
    let host = try Workstation()
    try host.remove("/sys/class/block/nvme1n1p1/holders")
    let answers = [("nvme1n1", whole), ("nvme1n1p1", part)].compactMap { disk, answer in
      answer.map { "/dev/\(disk) taken \($0)" }
    }
    try host.add("recorded/limits\t\(answers.joined(separator: "\n\t"))\n")
    if let content { try host.add("run/udev/data/b259:5\tS:x\n\tE:ID_FS_TYPE=\(content)\n") }
    #expect(try self.uses(on: RecordedKernel(root: host.root)) == uses)
  }

  /// One that does not answer is waited for as long as one read may take, and once.
  @Test func aDiskThatDoesNotAnswerIsPerhapsInUse() throws {
    let host = try Workstation()
    try host.remove("/sys/class/block/nvme1n1p1/holders")
    try host.add("dev/nvme1n1\t\\c\n")
    try host.kernel.hang(at: "/dev/nvme1n1")
    let before = host.kernel.now
    let uses = try uses(on: host.kernel)
    #expect(uses.count == 1 && uses[0].begins(with: "perhaps in use (nvme1n1): "), "\(uses)")
    #expect(host.kernel.now < before.advanced(byMilliseconds: 3_000))
  }

  /// The keyboard's and the mouse's place, and what is told of a USB controller.
  @Test(arguments: [
    ("0000:44:00.0/usb3/3-1", "kbd event3", "fffffffffffffffe", ["the host's keyboard “K”"]),
    ("0000:44:00.0/usb3/3-1", "event3 mouse1", "1f0000 0 0 0 0", ["the host's mouse “K”"]),
    ("0000:44:00.0/usb3/3-1", "kbd event3", "c000000000000 0", []),
    ("0000:45:00.0/usb3/3-1", "kbd event3", "fffffffffffffffe", []),
  ])
  func keyboardsAndMiceAreToldByTheirKeys(
    place: String, handlers: String, keys: String, uses: [String]
  ) throws {
    let host = try Workstation()
    try host.add(
      """
      sys/devices/pci0000:40/0000:44:00.0/class\t0x0c0330
      sys/devices/pci0000:40/0000:44:00.0/driver -> ../../../bus/pci/drivers/xhci_hcd
      sys/bus/pci/devices/0000:44:00.0 -> ../../../devices/pci0000:40/0000:44:00.0
      proc/bus/input/devices\tI: Bus=0003
      \tN: Name="K"
      \tS: Sysfs=/devices/pci0000:40/\(place)/input/input5
      \tH: Handlers=\(handlers)
      \tB: KEY=\(keys)

      """)
    var needs = FactNeeds()
    needs.functions = [try #require(PCIAddress("0000:44:00.0"))]
    let facts = try FactReader(kernel: host.kernel).facts(for: domain, needing: needs)
    let found = try #require(facts.functions.first).hostUses
    #expect(found.map(\.description) == uses)
    #expect(found.allSatisfy { $0.weight == .convenience })
  }

  @Test(arguments: ["/dev/vfio/7", "/dev/vfio/devices/vfio3", "/dev/vfio/noiommu-1"])
  func whoHasADeviceOfVFIOOpenIsFoundByGroupAndByDevice(file: String) throws {
    let host = try Workstation()
    try host.add("proc/77/comm\tqemu\nproc/77/fd/9 -> \(file)\nproc/78/fd/9 -> /dev/vfio/vfio\n")
    #expect(try FactReader(kernel: host.kernel).vfioUsers() == ["qemu (process 77)"])
  }

  private static let odd = "36 35 98:0 /m /a\\040b rw,noatime shared:1 master:2 - ext4 /dev/x rw"

  private func point(in text: [UInt8], _ number: String?, _ name: String) throws -> String? {
    let host = try Workstation()
    let disk = BlockDevice(name: name, number: number)
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
