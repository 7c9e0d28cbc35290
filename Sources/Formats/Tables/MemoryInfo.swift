internal import Bytes
import HostModel

/// The text of `/proc/meminfo`, or of a node's `meminfo`, in which each line begins with `Node N`.
package struct MemoryInfo {
  package private(set) var text: String

  package init(_ text: String) { self.text = text }

  /// The number behind a name such as `MemFree`; nil where no line has it, or not one that there can be.
  package subscript(name: String) -> Int? {
    // Most of the lines are not asked for, so that none is taken apart before its name fits.
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
        line[..<colon].reversed().starts(with: name.utf8.reversed()),
        let fields = Self.fields(of: Substring(line), named: name)
      else { continue }
      return Quantity.kibibytes.number(fields.number)
    }
    return nil
  }

  /// Puts another number behind a name, right-aligned where the old one ended.
  package mutating func replace(_ name: String, by number: Int) {
    let lines = text.fields(at: "\n", keepingEmpty: true)
    text = lines.map { line in
      guard let fields = Self.fields(of: line, named: name) else { return String(line) }
      let label = fields.label
      let width = line[label.endIndex..<fields.number.endIndex].utf8.count
      let digits = "\(number)"
      let padding = String(repeating: " ", count: max(1, width - digits.count))
      return label + padding + digits + line[fields.number.endIndex...]
    }.joined(separator: "\n")
  }

  private static func fields(
    of line: Substring, named name: String
  ) -> (label: Substring, number: Substring)? {
    guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")),
      line[..<colon].fields(at: " ").last ?? "" == name
    else { return nil }
    let rest = line[line.utf8.index(after: colon)...]
    guard let number = rest.fields(at: " ").first else { return nil }
    return (line[...colon], number)
  }
}
