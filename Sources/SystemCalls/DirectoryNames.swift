package import Bytes
internal import CLinux

/// The names in a directory, in ascending order, without `.` and `..`.
///
/// A name that is not UTF-8 comes out changed rather than making the whole directory unreadable:
/// anybody who may name a network interface could do that.
package enum DirectoryNames {
  /// The names in the directory at a path, wherever a link there leads.
  package static func read(at path: HostPath) throws(CallError) -> [String] {
    var opened: UnsafeMutableRawPointer?
    try _ = CallError.check(negated: clinux_open_names(path.cString, &opened))
    return try read(opened)
  }

  /// The names in an open directory.
  package static func read(of directory: borrowing Descriptor) throws(CallError) -> [String] {
    var opened: UnsafeMutableRawPointer?
    try _ = CallError.check(negated: clinux_open_names_of(directory.number, &opened))
    return try read(opened)
  }

  private static func read(_ opened: UnsafeMutableRawPointer?) throws(CallError) -> [String] {
    guard let opened else { return [] }
    defer { clinux_close_names(opened) }
    var names: [String] = []
    var error: Int32 = 0
    while let name = clinux_next_name(opened, &error) {
      let name = String(cString: name)
      if name != ".", name != ".." { names.append(name) }
    }
    try _ = CallError.check(negated: error)
    return names.sorted()
  }
}
