internal import Bytes
import HostModel

/// A recorded host as an archive that tar(1) can look into.
///
/// Files, links and folders are all that it may hold, each below the archive's own top and each
/// once. Names that a header has no room for stand in an extended one (pax).
package enum TarArchive {
  /// What an archive may come to: a host with 512 CPUs has some ten thousand places.
  package static let capacity = 256 << 20

  /// The bytes of an archive with all places of a host.
  package static func bytes(of host: RecordedHost) -> [UInt8] {
    var bytes: [UInt8] = []
    for (path, item) in host.items {
      let name = path.below(.root)
      switch item {
      case .file(let text, let isProgram):
        let content = Array(text.utf8)
        let header = TarHeader(
          name: name, kind: .file, size: content.count, isProgram: isProgram)
        append(header, content, to: &bytes)
      case .link(let target):
        append(TarHeader(name: name, kind: .link, target: target), [], to: &bytes)
      case .folder: append(TarHeader(name: name + "/", kind: .folder), [], to: &bytes)
      case .counter: continue
      }
    }
    return bytes + [UInt8](repeating: 0, count: 2 * TarHeader.size)
  }

  private static func append(_ header: TarHeader, _ content: [UInt8], to bytes: inout [UInt8]) {
    if !header.isComplete {
      var words = word("path", header.name)
      if header.kind == .link { words += word("linkpath", header.target) }
      let extended = TarHeader(name: "extended", kind: .extended, size: words.count)
      append(extended, words, to: &bytes)
    }
    bytes += header.bytes + content
    bytes += [UInt8](repeating: 0, count: padding(after: content.count))
  }

  static func padding(after size: Int) -> Int {
    (TarHeader.size - size % TarHeader.size) % TarHeader.size
  }

  /// `NUMBER KEY=VALUE`, where the number is the length of all of it.
  private static func word(_ key: String, _ value: String) -> [UInt8] {
    let rest = " \(key)=\(value)\n"
    var length = rest.utf8.count
    while "\(length)".utf8.count + rest.utf8.count != length {
      length = "\(length)".utf8.count + rest.utf8.count
    }
    return Array("\(length)\(rest)".utf8)
  }
}
