internal import CLinux

extension Descriptor {
  /// The names in an open directory, in ascending order, without `.` and `..`.
  package borrowing func names() throws(CallError) -> [String] {
    var opened: UnsafeMutableRawPointer?
    try _ = CallError.check(negated: clinux_open_names_of(number, &opened))
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
