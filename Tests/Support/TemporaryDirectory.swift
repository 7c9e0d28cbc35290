package import Bytes
package import Glibc
import Live

/// A directory of one test, removed with all that is in it.
package final class TemporaryDirectory: Sendable {
  package let path: String

  /// The same as a path of this host.
  package var place: HostPath { HostPath(foreign: path) }

  package init() {
    var template = Array("/tmp/berth-test-XXXXXX".utf8CString)
    let made = mkdtemp(&template)
    precondition(made != nil, "no temporary directory")
    path = template.withUnsafeBufferPointer { buffer in
      String(decoding: buffer.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }

  deinit {
    Self.erase(path)
  }

  private static func erase(_ path: String) {
    // Fails for all but directories, and so never follows a link.
    for name in (try? LiveKernel().entries(of: HostPath(foreign: path))) ?? []
    where unlink("\(path)/\(name)") != 0 {
      erase("\(path)/\(name)")
    }
    rmdir(path)
  }

  /// Makes a file and returns its path.
  @discardableResult
  package func file(_ name: String, _ text: String = "", mode: mode_t = 0o600) -> HostPath {
    let place = "\(path)/\(name)"
    let number = open(place, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    precondition(number >= 0, "no file \(place)")
    let written = Array(text.utf8).withUnsafeBytes { write(number, $0.baseAddress, $0.count) }
    precondition(written == text.utf8.count, "no text in \(place)")
    fchmod(number, mode)
    close(number)
    return HostPath(foreign: place)
  }

  package func directory(_ name: String, mode: mode_t = 0o700) {
    mkdir("\(path)/\(name)", mode)
    chmod("\(path)/\(name)", mode)
  }

  package func link(_ name: String, to destination: String) {
    symlink(destination, "\(path)/\(name)")
  }

  /// Makes a FIFO, which blocks who opens it for writing until somebody reads it.
  package func fifo(_ name: String) -> HostPath {
    mkfifo("\(path)/\(name)", 0o600)
    return HostPath(foreign: "\(path)/\(name)")
  }
}
