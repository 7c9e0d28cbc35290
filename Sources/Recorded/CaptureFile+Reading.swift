package import Formats
internal import Glibc
package import HostModel
internal import SystemCalls

extension CaptureFile {
  /// The host in a file.
  package static func host(at path: String) throws(HostError) -> RecordedHost {
    let bytes: [UInt8]
    do {
      let file = try Descriptor(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK))
      bytes = try file.bytes(limit: max(capacity, TarArchive.capacity))
    } catch {
      throw HostError(.read, path, errno: error.number)
    }
    return try host(in: bytes, of: path)
  }
}
