import HostModel

extension FactReader {
  /// Attributes by their paths, in the order in which they are asked for.
  func attributes(at paths: [String]) -> [AttributeFacts] {
    paths.map { asked in
      guard let path = place(of: asked), kernel.exists(path) else {
        return AttributeFacts(asked: asked, path: nil, text: nil)
      }
      // Some can only be written, and others refuse to be read until they mean something.
      return AttributeFacts(asked: asked, path: path, text: try? kernel.word(of: path))
    }
  }

  /// Where a path leads; nil for a ring of links.
  private func place(of path: String) -> String? {
    var rest = Array(path.split(separator: "/").map(String.init).reversed())
    var done: [String] = []
    var links = 0
    while let part = rest.popLast() {
      if part == "." { continue }
      if part == ".." {
        _ = done.popLast()
        continue
      }
      let place = "/" + (done + [part]).joined(separator: "/")
      guard let target = try? kernel.destination(of: place) else {
        done.append(part)
        continue
      }
      links += 1
      // As many as the kernel follows (path_resolution(7)).
      if links > 40 { return nil }
      if target.hasPrefix("/") { done = [] }
      rest += target.split(separator: "/").map(String.init).reversed()
    }
    return "/" + done.joined(separator: "/")
  }
}
