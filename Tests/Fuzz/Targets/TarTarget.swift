internal import Bytes
internal import Formats
internal import HostModel

extension FuzzTarget {
  /// An archive of which each header has the checksum that fits: no one gets past that by chance.
  static let tar = FuzzTarget(name: "tar") { bytes throws(BrokenPromise) in
    let host: RecordedHost
    do throws(HostError) {
      host = try TarArchive.host(in: sealed(bytes), of: "file")
    } catch {
      try promise(error.place == "file", "each error names the file")
      return
    }
    try promise(
      host.items.allSatisfy { (1...64).contains($0.path.components.count) },
      "no place is the root, or deeper than a kernel's")
    let again: RecordedHost
    do throws(HostError) {
      again = try TarArchive.host(in: TarArchive.bytes(of: host), of: "file")
    } catch {
      throw BrokenPromise(description: "what was read cannot be written: \(error)")
    }
    try promise(areSame(again.text, host.text), "what is written is what was read")
  }

  private static let block = 512
  private static let sum = 148..<156

  private static func sealed(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var bytes = Array(bytes)
    var place = 0
    while place + block <= bytes.count, bytes[place] != 0 {
      for index in sum { bytes[place + index] = 0x20 }
      let total = bytes[place..<place + block].reduce(0) { $0 + Int($1) }
      let digits = String(total, radix: 8)
      let text = String(repeating: "0", count: 6 - digits.count) + digits + "\0 "
      bytes.replaceSubrange(place + sum.lowerBound..<place + sum.upperBound, with: text.utf8)
      let size = bytes[place + 124..<place + 135].reduce(0) { $0 * 8 + Int($1 & 7) }
      place += block + (size + block - 1) / block * block
    }
    return bytes + [UInt8](repeating: 0, count: 2 * block)
  }
}
