internal import Bytes
internal import HostModel
internal import Port

/// Where disks are mounted on the host, as PID 1 sees it: a hook sees perhaps only the mounts of its
/// service.
///
/// Anybody may add to its table who may mount something, be it by FUSE and with whatever names: lines are
/// bytes, one that is no such line is passed over, and no more than one is held at a time.
struct MountTable {
  /// Room for the thousand mounts of FUSE that a user may make (`mount_max` of fuse.conf), each with two
  /// paths of 4096 bytes that are all escaped.
  private static let limit = 32 << 20

  /// Where each disk is mounted first, by its name; the others are not mounted.
  private(set) var points: [String: String] = [:]

  /// Looks for some disks, by their numbers and, as btrfs shows no device's, by their names.
  ///
  /// - Throws: `EFBIG` for a longer table.
  init(of kernel: any KernelReader, with disks: [BlockDevice]) throws(HostError) {
    let sought = disks.map { (disk: $0, source: Array("/dev/\($0.name)".utf8)) }
    var points: [String: String] = [:]
    try kernel.readLines(of: "/proc/1/mountinfo", upTo: Self.limit) { line in
      guard let mount = Mount(line) else { return }
      let source = Self.unescaped(line.extracting(mount.source))
      for (disk, path) in sought where points[disk.name] == nil {
        let isDevice = disk.number.map { line.extracting(mount.number).isText($0) } ?? false
        guard isDevice || source == path else { continue }
        let point = Self.unescaped(line.extracting(mount.point))
        points[disk.name] = String(decoding: point, as: UTF8.self)
      }
    }
    self.points = points
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
