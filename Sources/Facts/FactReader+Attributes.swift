internal import Bytes
import HostModel
internal import Port

extension FactReader {
  /// Attributes by their paths, in the order in which they are asked for.
  func attributes(at paths: [String]) -> [AttributeFacts] {
    paths.map { asked in
      guard let path = kernel.place(of: asked), kernel.exists(path) else {
        return AttributeFacts(asked: asked, path: nil, text: nil)
      }
      // Some can only be written, and others refuse to be read until they mean something.
      return AttributeFacts(asked: asked, path: path.description, text: try? kernel.word(of: path))
    }
  }
}

extension KernelReader {
  /// Where a path of elsewhere leads, without links on the way; nil for a ring of links, and for what
  /// is no path.
  func place(of path: String) -> HostPath? {
    PathWalk.place(of: path) { (try? destination(of: $0)).map { Array($0.utf8) } }
  }

  /// The path that a text of elsewhere means, also by `..`.
  func path(named text: String) -> HostPath {
    HostPath(parsing: text) ?? place(of: text) ?? HostPath(foreign: text)
  }
}
