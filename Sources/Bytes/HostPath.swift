/// An absolute path of a host, live or recorded.
///
/// Its components are bytes: none of them is empty, `.` or `..`, and none holds a slash or a NUL. A
/// path that was made of anything else *leads nowhere*: it still shows what it was made of, and
/// every kernel answers it with `EINVAL`.
///
/// In a literal, what is written is a path, and what is interpolated is one component or a part of
/// one, whatever it holds: no name of elsewhere leads out of the folder that it was put behind.
///
///     "/proc/\(pid)/stat"               one component
///     "\(folder)/\(name)"               a path at the beginning is continued
///     "/sys/fs/cgroup/\(below: group)"  none, one or several components, such as `a.slice/b.scope`
@usableFromInline
package struct HostPath: Hashable, Sendable {
  /// The path as open(2) takes it, with the NUL at its end; one that leads nowhere begins with a NUL,
  /// behind which stands what it was made of.
  package let cString: [UInt8]

  package static let root = HostPath(checked: [slash])

  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  /// Takes bytes that are known to be a path.
  private init(checked bytes: [UInt8]) { cString = bytes + [0] }

  /// Takes the bytes of a path, or of what leads nowhere.
  fileprivate init(_ bytes: [UInt8], isPath: Bool) {
    var bytes = bytes
    if !isPath || !Self.isPath(bytes) { bytes.insert(0, at: 0) }
    bytes.append(0)
    cString = bytes
  }

  private static func isPath(_ bytes: [UInt8]) -> Bool {
    if bytes == [slash] { return true }
    guard bytes.first == slash else { return false }
    var (length, dots) = (0, 0)
    for byte in bytes.dropFirst() {
      switch byte {
      case slash:
        if length == 0 || length <= 2 && dots == length { return false }
        (length, dots) = (0, 0)
      case 0: return false
      default:
        length += 1
        if byte == dot { dots += 1 }
      }
    }
    return length > 2 || dots < length
  }

  /// The path that a text of elsewhere names, such as one in a policy file; where it names none, one
  /// that leads nowhere.
  ///
  /// As to the kernel, several slashes are one, and `.` is nothing. What `..` means only a walk tells
  /// (`PathWalk`), so that a text with it names no path.
  @inlinable
  package init(foreign text: some StringProtocol) { self.init(foreignText: String(text)) }

  @usableFromInline
  init(foreignText text: String) {
    let bytes = Array(text.utf8)
    self = Self(parsingBytes: bytes) ?? HostPath(bytes, isPath: false)
  }

  /// The same; nil for a text that names no path.
  @inlinable
  package init?(parsing text: some StringProtocol) { self.init(parsing: text.utf8) }

  /// The same of bytes.
  @inlinable
  package init?(parsing bytes: some Collection<UInt8>) { self.init(parsingBytes: Array(bytes)) }

  @usableFromInline
  init?(parsingBytes bytes: [UInt8]) {
    guard bytes.first == Self.slash else { return nil }
    var path: [UInt8] = []
    for component in bytes.split(separator: Self.slash) where !component.elementsEqual([Self.dot]) {
      path.append(Self.slash)
      path += component
    }
    if path.isEmpty { path = [Self.slash] }
    guard Self.isPath(path) else { return nil }
    self.init(checked: path)
  }

  package var leadsNowhere: Bool { cString[0] == 0 }

  /// The bytes without that NUL, and without the slash that is all of the root.
  private var content: ArraySlice<UInt8> {
    let bytes = cString.dropLast()
    return bytes.count == 1 && bytes[0] == Self.slash ? [] : bytes
  }

  /// The components' bytes, from the root on; none of a path that leads nowhere.
  package var components: [ArraySlice<UInt8>] {
    leadsNowhere ? [] : content.split(separator: Self.slash)
  }

  /// The last component; empty for the root, and of a path that leads nowhere.
  package var name: String {
    String(decoding: leadsNowhere ? [] : content.suffix { $0 != Self.slash }, as: UTF8.self)
  }

  /// The folder that the path's last component is in; the root is in itself.
  package var parent: HostPath {
    guard !leadsNowhere, let end = content.lastIndex(of: Self.slash), end > 0 else {
      return leadsNowhere ? self : .root
    }
    return HostPath(checked: Array(content[..<end]))
  }

  /// The path of what has a name in this folder.
  @inlinable
  package func appending(_ name: some Collection<UInt8>) -> HostPath {
    appending(bytes: Array(name))
  }

  @inlinable
  package func appending(_ name: some StringProtocol) -> HostPath {
    appending(bytes: Array(name.utf8))
  }

  @usableFromInline
  func appending(bytes name: [UInt8]) -> HostPath {
    var bytes = Array(content)
    bytes.append(Self.slash)
    bytes += name
    return HostPath(bytes, isPath: !leadsNowhere && !name.contains(Self.slash))
  }

  /// Whether the path is a folder's, or leads to what is in it or below it.
  package func begins(with folder: HostPath) -> Bool {
    guard !leadsNowhere, !folder.leadsNowhere else { return false }
    let (bytes, beginning) = (content, folder.content)
    guard bytes.starts(with: beginning) else { return false }
    return bytes.count == beginning.count || bytes[beginning.count] == Self.slash
  }

  /// The path from a folder on, as a text; all of it where the path is not below that.
  package func below(_ folder: HostPath) -> String {
    let count = begins(with: folder) ? folder.content.count + 1 : 0
    return String(decoding: cString.dropFirst(count).dropLast(), as: UTF8.self)
  }

  /// Whether the text of the path starts with a text, such as `/sys/devices/pci`.
  @inlinable
  package func starts(with text: some StringProtocol) -> Bool { starts(withText: String(text)) }

  @usableFromInline
  func starts(withText text: String) -> Bool {
    cString.dropLast().starts(with: text.utf8) && !leadsNowhere
  }

  /// Whether the text of the path ends with a text, such as `/power/control`.
  @inlinable
  package func ends(with text: some StringProtocol) -> Bool { ends(withText: String(text)) }

  @usableFromInline
  func ends(withText text: String) -> Bool {
    !leadsNowhere && cString.dropLast().reversed().starts(with: text.utf8.reversed())
  }
}

extension [UInt8].SubSequence {
  /// The last bytes of which all are such.
  fileprivate func suffix(while isSuch: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    var start = endIndex
    while start > startIndex, isSuch(self[start - 1]) { start -= 1 }
    return self[start...]
  }
}

extension HostPath: Comparable {
  @usableFromInline
  package static func < (left: HostPath, right: HostPath) -> Bool {
    left.cString.lexicographicallyPrecedes(right.cString)
  }
}

extension HostPath: CustomStringConvertible {
  /// The path for people: what is not UTF-8 shows as U+FFFD.
  @usableFromInline
  package var description: String {
    String(decoding: cString.dropFirst(leadsNowhere ? 1 : 0).dropLast(), as: UTF8.self)
  }
}

extension HostPath: ExpressibleByStringInterpolation {
  @usableFromInline
  package init(stringLiteral text: String) { self.init(Array(text.utf8), isPath: true) }

  @usableFromInline
  package init(stringInterpolation text: Interpolation) {
    self = text.isRoot ? .root : HostPath(text.bytes, isPath: text.isPath)
  }

  @usableFromInline
  package struct Interpolation: StringInterpolationProtocol {
    fileprivate var bytes: [UInt8] = []
    fileprivate var isPath = true
    private var beginsAtRoot = false

    fileprivate var isRoot: Bool { beginsAtRoot && bytes.isEmpty }

    @usableFromInline
    package init(literalCapacity: Int, interpolationCount: Int) {
      bytes.reserveCapacity(literalCapacity + 24 * interpolationCount + 1)
    }

    @usableFromInline
    package mutating func appendLiteral(_ text: String) { bytes += text.utf8 }

    @inlinable
    package mutating func appendInterpolation(_ part: some StringProtocol) { append(String(part)) }

    @usableFromInline
    mutating func append(_ part: String) {
      assert(!bytes.isEmpty, "a path begins with a literal slash or with another path")
      if part.utf8.contains(where: { $0 == HostPath.slash }) { isPath = false }
      bytes += part.utf8
    }

    @inlinable
    package mutating func appendInterpolation(_ part: some CustomStringConvertible) {
      append(part.description)
    }

    /// Continues a path, where that stands at the beginning.
    package mutating func appendInterpolation(_ path: HostPath) {
      if path.leadsNowhere || !bytes.isEmpty { isPath = false }
      beginsAtRoot = bytes.isEmpty
      bytes += path.leadsNowhere ? path.cString.dropFirst().dropLast() : path.content
    }

    /// A path from the folder on that stands before it: none, one or several components.
    @inlinable
    package mutating func appendInterpolation(below path: some StringProtocol) {
      append(below: String(path))
    }

    @usableFromInline
    mutating func append(below path: String) {
      if path.isEmpty, bytes.count > 1, bytes.last == HostPath.slash { bytes.removeLast() }
      bytes += path.utf8
    }
  }
}
