package import Bytes
package import HostModel

/// A host in one text file, to be unpacked into a folder for `RecordedKernel`.
///
/// Each line is one place, its path relative to the root:
///
///     path<TAB>text       a file, whose text ends with a newline
///     path*<TAB>text      the same of a program, which may be run
///     <TAB>text           one more line of the file above
///     path -> target      a symbolic link
///     path/               a folder
///     path += number      a counter that a domain changes (overlays only)
///
/// `\n`, `\t`, `\0` and `\\` stand for those characters, `\s` for a blank, and `\c` at the end of a
/// text says that no newline follows. Empty lines and those that begin with `#` are comments.
///
/// An *overlay* is such a file with what is there only while one domain runs. Where it names a
/// folder, all that is in it goes with the domain.
package struct RecordedHost {
  package enum Item: Hashable {
    case file(String, isProgram: Bool = false)
    case link(String)
    case folder
    case counter(Int)
  }

  /// The greatest size of a file, as of a live kernel.
  package static let textLimit = 4 << 20
  /// How many folders a place may be below: sysfs is as deep as bridges are behind each other.
  static let depthMax = 64
  /// Where a host says what its files do not tell of how its kernel answers.
  package static let limits: HostPath = "/recorded/limits"

  /// More places than are read of the greatest hosts, many times over.
  static let itemsMax = 400_000

  /// The places by their paths.
  package private(set) var items: [(path: HostPath, item: Item)] = []

  package init(items: [(path: HostPath, item: Item)]) { self.items = items }

  /// - Throws: errno 0 and a diagnosis with the line for a text that is not such a file.
  package init(parsing text: String, from source: String) throws(HostError) {
    var number = 0
    // Line by line at its end: the whole text so far would be copied for each.
    var more = ""
    for line in text.fields(at: "\n", keepingEmpty: true) {
      number += 1
      if line.isEmpty || line.begins(with: "#") { continue }
      if let text = line.rest(after: "\t") {
        guard case .file = items.last?.item else {
          throw Self.error(source, number, "no file to continue")
        }
        more += Self.content(of: text)
        continue
      }
      append(&more)
      guard let item = Self.item(line) else {
        throw Self.error(source, number, "“\(line.clipped(to: 60))” is not a place")
      }
      if items.count == Self.itemsMax {
        throw Self.error(source, number, "more than \(Self.itemsMax) places")
      }
      items.append(item)
    }
    append(&more)
  }

  /// Puts more text at the end of the last file's.
  private mutating func append(_ more: inout String) {
    guard !more.isEmpty, case .file(let start, let isProgram) = items.last?.item else { return }
    items[items.count - 1].item = .file(start + more, isProgram: isProgram)
    more = ""
  }

  /// How many files, links and folders it names.
  package var files: Int { items.count { if case .file = $0.item { true } else { false } } }
  package var links: Int { items.count { if case .link = $0.item { true } else { false } } }
  package var folders: Int { items.count { $0.item == .folder } }
}
