internal import Bytes

/// Follows the links on a path, as the kernel does (path_resolution(7)).
package enum PathWalk {
  /// The greatest number of links on one path.
  private static let linksMax = 40

  /// The place that a path leads to, without links on the way; nil for a ring of links.
  ///
  /// A link at the path's end is followed only where `followsLast` says so; above the root is the
  /// root. `link` says what the link at a place says, and nil where there is none.
  package static func place(
    of path: String, followsLast: Bool = true, link: (_ place: String) -> String?
  ) -> String? {
    var rest = Array(path.fields(at: "/").reversed())
    var done = ""
    var links = 0
    while let part = rest.popLast() {
      if part == "." { continue }
      if part == ".." {
        done = String(done[..<(done.lastIndex(of: "/") ?? done.startIndex)])
        continue
      }
      let place = "\(done)/\(part)"
      guard followsLast || !rest.isEmpty, let target = link(place) else {
        done = place
        continue
      }
      links += 1
      if links > linksMax { return nil }
      if target.begins(with: "/") { done = "" }
      rest += target.fields(at: "/").reversed()
    }
    return done.isEmpty ? "/" : done
  }
}
