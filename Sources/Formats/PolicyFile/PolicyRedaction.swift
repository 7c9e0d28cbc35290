/// The policy file without what is for nobody else's eyes: comments, and what commands are called with.
///
/// What is left has the same meaning but for those arguments, on the same lines.
package struct PolicyRedaction {
  private let bytes: [UInt8]
  private var place = 0
  private var kept: [UInt8] = []
  /// The arrays and tables that the place is in.
  private var frames = [Frame(isArray: false, isOfCommands: false)]
  /// The last part of the key that stands before the place.
  private var key: [UInt8] = []
  /// Whether “=” stands behind it.
  private var hasValue = false

  private struct Frame {
    var isArray: Bool
    var isOfCommands: Bool
    var strings = 0
  }

  /// The text that is left; nil for one that is no TOML.
  package static func text(of text: String) -> String? {
    guard PolicyFile(text, named: "").problems.allSatisfy({ $0.scope != .file }) else { return nil }
    var redaction = PolicyRedaction(Array(text.utf8))
    redaction.run()
    return String(decoding: redaction.kept, as: UTF8.self)
  }

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  private mutating func run() {
    while place < bytes.count {
      let byte = bytes[place]
      switch byte {
      case UInt8(ascii: "#"): place = bytes[place...].firstIndex(of: 0x0a) ?? bytes.count
      case UInt8(ascii: "\""), UInt8(ascii: "'"): string()
      case UInt8(ascii: "["), UInt8(ascii: "{"): open(byte)
      case UInt8(ascii: "]"), UInt8(ascii: "}"): close()
      default: plain(byte)
      }
    }
  }

  private mutating func plain(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "="): hasValue = true
    case UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "."):
      // In an array, and behind “=” on a line, none of these is followed by another part of a key.
      if !frames[frames.count - 1].isArray, byte == UInt8(ascii: ".") ? !hasValue : true {
        key = []
        hasValue = false
      }
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
    default: if !hasValue { key.append(byte) }
    }
    take(1)
  }

  private mutating func open(_ byte: UInt8) {
    let isOfCommands = frames[frames.count - 1].isOfCommands || isCommandsKey && hasValue
    if frames.count == 1, !hasValue, byte == UInt8(ascii: "[") { return header() }
    frames.append(Frame(isArray: byte == UInt8(ascii: "["), isOfCommands: isOfCommands))
    if byte == UInt8(ascii: "{") {
      key = []
      hasValue = false
    }
    take(1)
  }

  private mutating func close() {
    if frames.count > 1 { frames.removeLast() }
    hasValue = true
    take(1)
  }

  /// Takes the name of a section: `[a.b]` or `[[a.b]]`.
  private mutating func header() {
    key = []
    while place < bytes.count, bytes[place] != UInt8(ascii: "\n"), bytes[place] != UInt8(ascii: "#")
    {
      switch bytes[place] {
      case UInt8(ascii: "\""), UInt8(ascii: "'"): string()
      case UInt8(ascii: "."):
        key = []
        take(1)
      case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: " "), UInt8(ascii: "\t"),
        UInt8(ascii: "\r"):
        take(1)
      default:
        key.append(bytes[place])
        take(1)
      }
    }
    frames = [Frame(isArray: false, isOfCommands: isCommandsKey)]
    key = []
    hasValue = false
  }

  private var isCommandsKey: Bool { key.elementsEqual("commands".utf8) }

  /// Takes a string; behind the first of an array of a command's, leaves a mark in its place.
  private mutating func string() {
    let quote = bytes[place]
    let isLong = bytes[place...].prefix(3).elementsEqual([quote, quote, quote])
    var end = place + (isLong ? 3 : 1)
    while end < bytes.count {
      if bytes[end] == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        end += 2
      } else if bytes[end] == quote,
        !isLong || bytes[end...].prefix(3).elementsEqual([quote, quote, quote])
      {
        end += isLong ? 3 : 1
        while isLong, end < bytes.count, bytes[end] == quote { end += 1 }
        break
      } else {
        end += 1
      }
    }
    end = min(end, bytes.count)
    let text = bytes[place..<end]
    if !hasValue, frames.count == 1 || !frames[frames.count - 1].isArray {
      key += text.dropFirst().dropLast()
    }
    let top = frames.count - 1
    if frames[top].isArray { frames[top].strings += 1 }
    if frames[top].isArray, frames[top].isOfCommands, frames[top].strings > 1 {
      kept += "\"…\"".utf8
      // The lines below keep their numbers.
      kept += text.filter { $0 == UInt8(ascii: "\n") }
      place = end
    } else {
      take(text.count)
    }
  }

  private mutating func take(_ count: Int) {
    kept += bytes[place..<place + count]
    place += count
  }
}
