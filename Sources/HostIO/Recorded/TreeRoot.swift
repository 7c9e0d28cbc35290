import CLinux
internal import Glibc

/// The folder of a recorded host, opened once for all that is read in it.
final class TreeRoot {
  private let path: String
  private var descriptor: Int32 = -1

  init(_ path: String) { self.path = path }

  deinit { forget() }

  /// Opens what a path leads to below the folder, and nothing outside of it.
  func opened(_ place: String, _ flags: Int32) throws(CallError) -> Descriptor {
    for _ in 0..<2 {
      if descriptor < 0 { descriptor = try CallError.check(negated: clinux_open_root(path)) }
      let result = clinux_open_below(descriptor, place, flags)
      if result >= 0 { return Descriptor(opened: result) }
      guard result == -ESTALE else { throw CallError(number: -result) }
      // Another folder may stand under its name by now.
      forget()
    }
    throw CallError(number: ENOENT)
  }

  private func forget() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }
}
