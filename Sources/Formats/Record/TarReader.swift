internal import Bytes
package import HostModel

extension TarArchive {
  /// The host in an archive.
  ///
  /// - Throws: With the file, and the entry that is to blame, for all that no capture holds: what
  ///   is cut off, a name that leads out or is there twice, a device, more than there may be.
  package static func host(in bytes: [UInt8], of file: String) throws(HostError) -> RecordedHost {
    var reader = TarReader(bytes: bytes, file: file)
    return RecordedHost(items: try reader.entries())
  }
}

/// Reads the entries of an archive one after the other.
private struct TarReader {
  let bytes: [UInt8]
  let file: String
  private var place = 0
  private var items: [(path: HostPath, item: RecordedHost.Item)] = []
  /// What is there already; whether it is a folder.
  private var known: [HostPath: Bool] = [:]
  private var links: Set<HostPath> = []

  init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  mutating func entries() throws(HostError) -> [(path: HostPath, item: RecordedHost.Item)] {
    var longName: String?
    var longTarget: String?
    while var header = try header() {
      let content = try content(of: header)
      switch header.kind {
      case .extended:
        for (key, value) in try words(in: content) {
          if key == "path" { longName = value }
          if key == "linkpath" { longTarget = value }
        }
      case .longName: longName = try text(content.prefix { $0 != 0 }, header.name)
      case .longTarget: longTarget = try text(content.prefix { $0 != 0 }, header.name)
      case .extendedForAll: continue
      case .file, .link, .folder:
        header.name = longName ?? header.name
        header.target = longTarget ?? header.target
        (longName, longTarget) = (nil, nil)
        try add(header, content)
      }
    }
    return items
  }

  /// The next header; nil at the end of the archive, which two blocks of zeroes mark.
  private mutating func header() throws(HostError) -> TarHeader? {
    guard place + TarHeader.size <= bytes.count else { throw cutOff() }
    let block = bytes[place..<place + TarHeader.size]
    place += TarHeader.size
    if block.allSatisfy({ $0 == 0 }) {
      guard place + TarHeader.size <= bytes.count,
        bytes[place..<place + TarHeader.size].allSatisfy({ $0 == 0 })
      else { throw cutOff() }
      return nil
    }
    do {
      return try TarHeader(block)
    } catch {
      throw objection("at byte \(place - TarHeader.size): \(error.why)")
    }
  }

  private mutating func content(of header: TarHeader) throws(HostError) -> ArraySlice<UInt8> {
    guard header.size <= RecordedHost.textLimit else {
      throw objection("\(quoted(header.name)) has more than 4 MiB")
    }
    guard place + header.size <= bytes.count else { throw cutOff() }
    defer { place += header.size + TarArchive.padding(after: header.size) }
    return bytes[place..<place + header.size]
  }

  private mutating func add(_ header: TarHeader, _ content: ArraySlice<UInt8>) throws(HostError) {
    // The archive's own top, as tar(1) writes it for `.`.
    if header.kind == .folder, header.name == "." || header.name == "./" { return }
    guard let path = RecordedHost.place(named: header.name) else {
      throw objection(
        "\(quoted(header.name)) is no place below the recorded host, or deeper than any")
    }
    guard items.count < RecordedHost.itemsMax else {
      throw objection("it has more than \(RecordedHost.itemsMax) entries")
    }
    let isFolder = header.kind == .folder
    if let before = known.updateValue(isFolder, forKey: path), !(before && isFolder) {
      throw objection("\(quoted(header.name)) is there twice")
    }
    try checkWay(to: path)
    switch header.kind {
    case .link:
      guard !header.target.isEmpty, !header.target.utf8.contains(0) else {
        throw objection("the link \(quoted(header.name)) has no target")
      }
      links.insert(path)
      items.append((path, .link(header.target)))
    case .folder: items.append((path, .folder))
    default:
      let text = try text(content, header.name)
      items.append((path, .file(text, isProgram: header.isProgram)))
    }
  }

  /// What is above an entry are folders: behind a link, what it says would depend on the order.
  private mutating func checkWay(to path: HostPath) throws(HostError) {
    var above = path.parent
    while above != .root {
      switch known.updateValue(true, forKey: above) {
      case true?: return
      case false?:
        let kind = links.contains(above) ? "link" : "file"
        throw objection("\(quoted(path.description)) is below a \(kind)")
      case nil: above = above.parent
      }
    }
  }

  private func words(
    in content: ArraySlice<UInt8>
  ) throws(HostError) -> [(key: String, value: String)] {
    var words: [(String, String)] = []
    var rest = content
    while !rest.isEmpty {
      let digits = rest.prefix { $0 != 0x20 }
      guard let length = digits.decimal, length > digits.count, length <= rest.count,
        rest[rest.startIndex + length - 1] == 0x0a,
        case let word = rest.prefix(length - 1).dropFirst(digits.count + 1),
        let equals = word.firstIndex(of: 0x3d)
      else { throw objection("an extended header has a word without its length") }
      words.append(
        (
          try text(word[..<equals], "an extended header"),
          try text(word[(equals + 1)...], "an extended header")
        ))
      rest = rest.dropFirst(length)
    }
    return words
  }

  private func text(_ bytes: ArraySlice<UInt8>, _ name: String) throws(HostError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw objection("\(quoted(name)) is not UTF-8")
    }
    return text
  }

  private func cutOff() -> HostError {
    let last = items.last.map { " after \(quoted($0.path.below(.root)))" } ?? ""
    return objection("the archive is cut off\(last)")
  }

  private func objection(_ diagnosis: String) -> HostError {
    HostError(.read, file, diagnosis: diagnosis)
  }
}
