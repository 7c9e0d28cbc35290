internal import Bytes
import CLinux
import Glibc
package import HostModel
package import Port

extension LiveKernel {
  /// The file in `/dev` is asked if it is that of the disk, and may be opened.
  ///
  /// For the moment that the question takes, the disk is the child's alone: a mount at that moment fails
  /// with `EBUSY`. So it is asked last, when no file tells who has the disk.
  package func isTaken(
    _ disk: BlockDevice, until deadline: Deadline
  ) throws(HostError) -> Bool? {
    let file = disk.file
    var status = stat()
    guard let number = disk.number, !file.leadsNowhere, stat(file.cString, &status) == 0,
      status.st_mode & S_IFMT == S_IFBLK, Self.text(ofDevice: status.st_rdev) == number
    else { return nil }
    do throws(HostError) {
      _ = try abandonably(.read, file, until: deadline) { deadline, leftBehind in
        clinux_take_abandonable(file.cString, deadline, &leftBehind)
      }
      return false
    } catch {
      switch error.errno {
      case EBUSY: return true
      case ETIMEDOUT: throw error
      // Without a medium, or not there any more, it is nobody's.
      case ENOMEDIUM, ENXIO, ENODEV: return false
      default: return nil
      }
    }
  }

  /// `MAJOR:MINOR`, of what the kernel packs into one number (gnu_dev_major(3)).
  private static func text(ofDevice number: dev_t) -> String {
    let major = number >> 8 & 0xfff | number >> 32 & ~0xfff
    let minor = number & 0xff | number >> 12 & ~0xff
    return "\(major):\(minor)"
  }
}
