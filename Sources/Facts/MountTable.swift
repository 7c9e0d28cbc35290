internal import Bytes
internal import HostModel
internal import Port

/// The mounts of the host, as PID 1 sees them: a hook sees perhaps only those of its service.
///
/// Anybody may add to it who may mount something, be it by FUSE and with whatever names: lines are bytes,
/// and one that is no such line is passed over.
struct MountTable {
  private let bytes: [UInt8]

  /// Room for the thousand mounts of FUSE that a user may make (`mount_max` of fuse.conf), each with two
  /// paths of 4096 bytes that are all escaped.
  private static let limit = 32 << 20

  /// - Throws: `EFBIG` for a longer one.
  init(of kernel: any KernelReader) throws(HostError) {
    bytes = try kernel.bytes(of: "/proc/1/mountinfo", upTo: Self.limit)
  }

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Where a block device is mounted, by its `MAJOR:MINOR` or, as btrfs shows no device's, by its name.
  func point(ofDevice number: String?, named name: String) -> String? {
    let text = bytes.span
    let source = "/dev/\(name)"
    var start = 0
    while start < text.count {
      let end = text.firstIndex(of: UInt8(ascii: "\n"), from: start) ?? text.count
      let line = text.extracting(start..<end)
      start = end + 1
      guard let mount = Mount(line) else { continue }
      let isDevice = number.map { line.extracting(mount.number).isText($0) } ?? false
      if isDevice || Self.unescaped(line.extracting(mount.source)) == Array(source.utf8) {
        let point = Self.unescaped(line.extracting(mount.point))
        return String(decoding: point, as: UTF8.self)
      }
    }
    return nil
  }

  /// The kernel writes blanks, tabs, newlines and backslashes as three octal digits.
  private static func unescaped(_ field: Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var place = 0
    while place < field.count {
      if field[place] == UInt8(ascii: "\\"), let code = octal(field, place + 1) {
        bytes.append(code)
        place += 4
      } else {
        bytes.append(field[place])
        place += 1
      }
    }
    return bytes
  }

  private static func octal(_ field: Span<UInt8>, _ place: Int) -> UInt8? {
    guard place + 3 <= field.count else { return nil }
    var code = 0
    for digit in place..<place + 3 {
      guard (48...55).contains(field[digit]) else { return nil }
      code = code << 3 | Int(field[digit] - 48)
    }
    return UInt8(exactly: code)
  }
}

/// Where the fields of one line of `mountinfo` are (proc(5)).
private struct Mount {
  /// `MAJOR:MINOR`; of no device for btrfs, which shows its source only.
  var number: Range<Int>
  var point: Range<Int>
  var source: Range<Int>

  /// Nil for what is no such line.
  init?(_ line: Span<UInt8>) {
    var place = 0
    guard let number = line.nextField(from: &place, passing: 2),
      let point = line.nextField(from: &place, passing: 1),
      line.nextField(from: &place) != nil
    else { return nil }
    // Optional fields of any number end with a lone hyphen; type and source come after it.
    while let field = line.nextField(from: &place) {
      guard field.count == 1, line[field.lowerBound] == UInt8(ascii: "-") else { continue }
      guard let source = line.nextField(from: &place, passing: 1) else { return nil }
      (self.number, self.point, self.source) = (number, point, source)
      return
    }
    return nil
  }
}
