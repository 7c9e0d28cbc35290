internal import Bytes
internal import Glibc
import HostModel

/// Makes many files of a tree, and finds out only once where each folder really is.
struct TreeMaker {
  let tree: RecordedTree
  /// The resolved places of folders that were made or found, by path.
  private var places: [HostPath: HostPath] = [:]

  init(tree: RecordedTree) { self.tree = tree }

  mutating func makeFile(_ path: HostPath, _ text: String, mode: mode_t) throws(HostError) {
    try tree.put(text, at: place(of: path), flags: O_WRONLY | O_TRUNC | O_CREAT, mode: mode)
  }

  mutating func makeLink(_ path: HostPath, to target: String) throws(HostError) {
    // A link in the place of another may lead a folder elsewhere.
    if try tree.putLink(to: target, at: place(of: path)) { places.removeAll() }
  }

  /// Makes a folder, and those above it, where they are missing.
  mutating func folder(_ path: HostPath) throws(HostError) -> HostPath {
    if let place = places[path] { return place }
    try tree.makeDirectory(path)
    let place = try tree.resolved(path, for: .write)
    places[path] = place
    return place
  }

  private mutating func place(of path: HostPath) throws(HostError) -> HostPath {
    guard let name = path.components.last else { return path }
    return try folder(path.parent).appending(name)
  }
}
