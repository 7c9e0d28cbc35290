internal import Bytes
import HostModel

/// The lines of a recorded host.
extension RecordedHost {
  static func item(_ line: Substring) -> (path: HostPath, item: Item)? {
    if let (path, text) = line.cut(at: "\t") {
      let program = endsEscaped(path) ? nil : path.rest(before: "*")
      return place(program ?? path).map {
        ($0, .file(content(of: text), isProgram: program != nil))
      }
    }
    let words = line.fields(at: " ")
    if words.count == 3, words[1] == "->" {
      let target = unescaped(words[2])
      // No link can hold a NUL, nor an archive tell of one.
      if target.utf8.contains(0) { return nil }
      return place(words[0]).map { ($0, .link(target)) }
    }
    if words.count == 3, words[1] == "+=",
      let number = Quantity(-(1 << 42)...1 << 42).number(words[2])
    {
      return place(words[0]).map { ($0, .counter(number)) }
    }
    return line.ends(with: "/") ? place(line).map { ($0, .folder) } : nil
  }

  private static func place(_ text: Substring) -> HostPath? { place(named: unescaped(text)) }

  /// A path of the host from a relative one; nil for one that could lead out of its root, and for one that
  /// is deeper than any of a kernel's.
  static func place(named path: String) -> HostPath? {
    if path.begins(with: "/") { return nil }
    guard let place = HostPath(parsing: "/" + path), place != .root,
      place.components.count <= RecordedHost.depthMax
    else { return nil }
    return place
  }

  static func content(of text: Substring) -> String {
    if endsEscaped(text), let open = text.rest(before: "\\c") { return unescaped(open) }
    return unescaped(text) + "\n"
  }

  /// Whether the last character belongs to a backslash, which one of two does not have.
  private static func endsEscaped(_ text: Substring) -> Bool {
    let backslashes = text.utf8.dropLast().reversed().prefix { $0 == UInt8(ascii: "\\") }.count
    return !backslashes.isMultiple(of: 2)
  }

  private static func unescaped(_ text: Substring) -> String {
    var result: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
        result.append(byte)
        continue
      }
      switch escape {
      case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
      case UInt8(ascii: "s"): result.append(UInt8(ascii: " "))
      case UInt8(ascii: "t"): result.append(UInt8(ascii: "\t"))
      case UInt8(ascii: "0"): result.append(0)
      default: result.append(escape)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  static func error(_ source: String, _ line: Int, _ diagnosis: String) -> HostError {
    HostError(.read, source, diagnosis: "line \(line): \(diagnosis)")
  }

  /// The host in the lines that it is read from, in the order of its places.
  package var text: String {
    var text = ""
    for (path, item) in items {
      let place = Self.escaped(path.below(.root)[...])
      switch item {
      case .file(let content, let isProgram):
        text += "\(place)\(isProgram ? "*" : "")\t\(Self.lines(of: content))\n"
      case .link(let target): text += "\(place) -> \(Self.escaped(target[...]))\n"
      case .folder: text += "\(place)/\n"
      case .counter(let number): text += "\(place) += \(number)\n"
      }
    }
    return text
  }

  private static func lines(of content: String) -> String {
    var lines = content.fields(at: "\n", keepingEmpty: true)
    let isEnded = lines.count > 1 && lines.last == ""
    if isEnded { lines.removeLast() }
    return lines.map { escaped($0, alsoBlanks: false) }.joined(separator: "\n\t")
      + (isEnded ? "" : "\\c")
  }

  private static func escaped(_ text: Substring, alsoBlanks: Bool = true) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\0": result += "\\0"
      case "\\": result += "\\\\"
      case " " where alsoBlanks: result += "\\s"
      case "*" where alsoBlanks: result += "\\*"
      case "#" where alsoBlanks: result += "\\#"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
