internal import Bytes

/// The header of one entry of an archive as POSIX has it (ustar, pax(1)).
struct TarHeader {
  static let size = 512

  enum Kind: UInt8 {
    case file = 0x30
    case link = 0x32
    case folder = 0x35
    /// What is said of the next entry in words of `NUMBER KEY=VALUE`.
    case extended = 0x78
    case extendedForAll = 0x67
    /// GNU's words for a long name or target of the next entry.
    case longName = 0x4c
    case longTarget = 0x4b
  }

  var name: String
  var kind: Kind
  var size = 0
  var target = ""
  var isProgram = false

  private static let nameSize = 100
  private static let targetSize = 100
  private static let sumPlace = 148

  /// Whether name and target are as short as the header has room for.
  var isComplete: Bool {
    name.utf8.count <= Self.nameSize && target.utf8.count <= Self.targetSize
  }

  var bytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.size)
    func put(_ text: String, _ place: Int, _ length: Int) {
      for (index, byte) in text.utf8.prefix(length).enumerated() { bytes[place + index] = byte }
    }
    put(name, 0, Self.nameSize)
    put(kind == .folder || isProgram ? "0000755" : kind == .link ? "0000777" : "0000644", 100, 7)
    put(Self.octal(0, 7), 108, 7)
    put(Self.octal(0, 7), 116, 7)
    put(Self.octal(kind == .link || kind == .folder ? 0 : size, 11), 124, 11)
    put(Self.octal(0, 11), 136, 11)
    bytes[156] = kind.rawValue
    put(target, 157, Self.targetSize)
    put("ustar", 257, 5)
    put("00", 263, 2)
    put("root", 265, 4)
    put("root", 297, 4)
    put(Self.octal(Self.sum(of: bytes[...]), 6), Self.sumPlace, 6)
    bytes[Self.sumPlace + 7] = 0x20
    return bytes
  }

  private static func octal(_ number: Int, _ width: Int) -> String {
    let digits = String(number, radix: 8)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// The sum of all bytes, where those of the sum itself count as blanks.
  private static func sum(of bytes: ArraySlice<UInt8>) -> Int {
    var sum = 0
    for index in bytes.indices {
      let place = index - bytes.startIndex
      sum += (sumPlace..<sumPlace + 8).contains(place) ? 0x20 : Int(bytes[index])
    }
    return sum
  }
}

/// Why some bytes are no header.
struct TarHeaderError: Error {
  var why: String
}

extension TarHeader {
  /// The first three letters of what each header of POSIX or GNU says it is.
  static func isHeader(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.count >= size && bytes.dropFirst(257).starts(with: "ustar".utf8)
  }

  /// Reads a header of 512 bytes.
  init(_ bytes: ArraySlice<UInt8>) throws(TarHeaderError) {
    func field(_ place: Int, _ length: Int) -> ArraySlice<UInt8> {
      bytes.dropFirst(place).prefix(length).prefix { $0 != 0 }
    }
    guard Self.isHeader(bytes) else { throw TarHeaderError(why: "it is no header of an entry") }
    guard try Self.number(field(Self.sumPlace, 8)) == Self.sum(of: bytes) else {
      throw TarHeaderError(why: "the checksum of its header does not fit")
    }
    let isPOSIX = bytes[bytes.startIndex + 263] == 0x30
    let prefix = isPOSIX ? try Self.text(field(345, 155)) : ""
    name = try (prefix.isEmpty ? "" : prefix + "/") + Self.text(field(0, Self.nameSize))
    let letter = bytes[bytes.startIndex + 156]
    // Before POSIX a zero stood for a file.
    guard let kind = letter == 0 ? .file : Kind(rawValue: letter) else {
      throw TarHeaderError(
        why: "“\(name.clipped(to: 80))” is \(Self.title(of: letter)), which no capture holds")
    }
    self.kind = kind
    size = kind == .link || kind == .folder ? 0 : try Self.number(field(124, 12))
    target = try Self.text(field(157, Self.targetSize))
    let mode = try Self.number(field(100, 8))
    isProgram = kind == .file && mode & 0o111 != 0
  }

  private static func title(of letter: UInt8) -> String {
    switch letter {
    case 0x31: "a hard link"
    case 0x33, 0x34: "a device"
    case 0x36: "a pipe"
    case 0x53: "a sparse file"
    default: "an entry of the kind \(letter)"
    }
  }

  static func text(_ bytes: ArraySlice<UInt8>) throws(TarHeaderError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw TarHeaderError(why: "its name is not UTF-8")
    }
    return text
  }

  /// A number in octal digits, with blanks around it.
  private static func number(_ field: ArraySlice<UInt8>) throws(TarHeaderError) -> Int {
    let digits = String(decoding: field, as: UTF8.self).fields(at: " ")
    if digits.isEmpty { return 0 }
    guard digits.count == 1, let number = Int(digits[0], radix: 8), number >= 0 else {
      throw TarHeaderError(why: "a number of its header is none in octal digits")
    }
    return number
  }
}
