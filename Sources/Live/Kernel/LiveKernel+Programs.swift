package import Bytes
import Glibc
import HostModel
internal import Port

extension LiveKernel {
  /// Looks at the program itself and at every folder on the way to it, with those that links on it
  /// stand in: whoever can change one of them decides what is run.
  ///
  /// A folder that its group can write to is no root's alone either, as nobody knows who will be in
  /// the group; nor is a sticky one, in which others can put something in the place of what was removed.
  package func objection(toRunning path: HostPath) -> String? {
    var folders: [HostPath] = []
    let found = PathWalk.place(of: path) { place in
      folders.append(place.parent)
      return link(at: place)
    }
    guard let place = found, let program = FileMode(of: place) else { return "is not there" }
    guard program.isProgram else { return "is not a program" }
    guard program.isRootsAlone else { return "could be changed by others than root" }
    for folder in folders {
      guard let mode = FileMode(of: folder) else { return "is not there" }
      guard mode.isRootsAlone else {
        return "lies in \(folder), which others than root can write to (mode \(mode.octal))"
      }
    }
    return nil
  }

  /// What a link says; nil where none is.
  private func link(at place: HostPath) -> [UInt8]? {
    do throws(HostError) {
      return Array(try destination(of: place).utf8)
    } catch {
      return nil
    }
  }
}

/// Whose a file is, and who may change it.
private struct FileMode {
  private let owner: uid_t
  private let mode: mode_t

  /// Nil where nothing is.
  init?(of path: HostPath) {
    var status = stat()
    guard stat(path.cString, &status) == 0 else { return nil }
    owner = status.st_uid
    mode = status.st_mode
  }

  var isProgram: Bool { mode & S_IFMT == S_IFREG && mode & 0o111 != 0 }
  var isRootsAlone: Bool { owner == 0 && mode & 0o022 == 0 }
  var octal: String { String(mode & 0o7777, radix: 8) }
}
