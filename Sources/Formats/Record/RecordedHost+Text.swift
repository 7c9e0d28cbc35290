internal import Bytes
import HostModel

/// The lines of a recorded host.
extension RecordedHost {
  static func item(_ line: Substring) -> (path: String, item: Item)? {
    if let tab = line.firstIndex(of: "\t") {
      let text = content(of: line[line.index(after: tab)...])
      let path = line[..<tab]
      let isProgram = path.ends(with: "*") && !path.ends(with: "\\*")
      return place(isProgram ? path.dropLast() : path).map {
        ($0, .file(text, isProgram: isProgram))
      }
    }
    let words = line.fields(at: " ")
    if words.count == 3, words[1] == "->" {
      return place(words[0]).map { ($0, .link(unescaped(words[2]))) }
    }
    if words.count == 3, words[1] == "+=", let number = Int(words[2]) {
      return place(words[0]).map { ($0, .counter(number)) }
    }
    return line.ends(with: "/") ? place(line).map { ($0, .folder) } : nil
  }

  private static func place(_ text: Substring) -> String? {
    text.begins(with: "/") ? nil : place(named: unescaped(text))
  }

  /// A path of the host from a relative one; nil for one that could lead out of its root.
  static func place(named path: String) -> String? {
    let parts = path.fields(at: "/").filter { $0 != "." }
    if parts.isEmpty || parts.contains("..") || path.utf8.contains(0) { return nil }
    return parts.map { "/\($0)" }.joined()
  }

  static func content(of text: Substring) -> String {
    text.ends(with: "\\c") ? unescaped(text.dropLast(2)) : unescaped(text) + "\n"
  }

  private static func unescaped(_ text: Substring) -> String {
    var result = ""
    var rest = text
    while let character = rest.popFirst() {
      guard character == "\\", let escape = rest.popFirst() else {
        result.append(character)
        continue
      }
      switch escape {
      case "n": result.append("\n")
      case "s": result.append(" ")
      case "t": result.append("\t")
      case "0": result.append("\0")
      default: result.append(escape)
      }
    }
    return result
  }

  static func error(_ source: String, _ line: Int, _ diagnosis: String) -> HostError {
    HostError(.read, source, diagnosis: "line \(line): \(diagnosis)")
  }

  /// The host in the lines that it is read from, in the order of its places.
  package var text: String {
    var text = ""
    for (path, item) in items {
      let place = Self.escaped(path.dropFirst())
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
