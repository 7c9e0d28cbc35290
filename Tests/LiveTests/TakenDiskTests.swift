import Bytes
import Glibc
import HostModel
import Port
import Support
import Testing

@testable import Live

/// Whether a disk is somebody's, asked of the kernel of this machine.
@Suite(.serialized)
struct TakenDiskTests {
  private let kernel = LiveKernel()
  private let directory = TemporaryDirectory()

  private static let canMakeDisks = geteuid() == 0 && access("/dev/loop-control", W_OK) == 0
  // <linux/loop.h>
  private static let getFree: UInt = 0x4C82
  private static let setDescriptor: UInt = 0x4C00
  private static let clearDescriptor: UInt = 0x4C01

  private var soon: Deadline { kernel.now.advanced(byMilliseconds: 2_000) }

  @Test(.enabled(if: canMakeDisks, "root alone makes disks"))
  func aDiskIsTakenForAsLongAsSomebodyHasItToHimself() throws {
    let image = directory.file("image", String(repeating: "0", count: 1 << 20))
    let control = open("/dev/loop-control", O_RDWR | O_CLOEXEC)
    let number = ioctl(control, Self.getFree)
    close(control)
    let loop = open("/dev/loop\(number)", O_RDWR | O_CLOEXEC)
    let file = open(image.description, O_RDWR | O_CLOEXEC)
    defer {
      _ = ioctl(loop, Self.clearDescriptor)
      close(loop)
      close(file)
    }
    try #require(ioctl(loop, Self.setDescriptor, file) == 0)
    let disk = BlockDevice(name: "loop\(number)", number: "7:\(number)")
    // Who has it open beside others, as this test has, is in nobody's way.
    #expect(try kernel.isTaken(disk, until: soon) == false)
    let alone = open("/dev/loop\(number)", O_RDONLY | O_EXCL | O_CLOEXEC)
    #expect(alone >= 0)
    #expect(try kernel.isTaken(disk, until: soon) == true)
    close(alone)
    #expect(try kernel.isTaken(disk, until: soon) == false)
    // The file is that of another disk.
    let other = BlockDevice(name: disk.name, number: "8:\(number)")
    #expect(try kernel.isTaken(other, until: soon) == nil)
  }

  @Test(
    arguments: [
      ("berth-is-not-here", "8:0"), ("null", "1:3"), ("loop0", nil), ("../etc/passwd", "8:0"),
      ("a!../../etc/passwd", "8:0"), ("", "8:0"),
    ] as [(String, String?)])
  func whatIsNoDiskIsNotAsked(name: String, number: String?) throws {
    let disk = BlockDevice(name: name, number: number)
    #expect(try kernel.isTaken(disk, until: soon) == nil)
  }
}
