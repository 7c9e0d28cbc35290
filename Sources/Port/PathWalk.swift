package import Bytes

/// Follows the links on a path, as the kernel does (path_resolution(7)).
package enum PathWalk {
  /// The greatest number of links on one path.
  private static let linksMax = 40

  /// The place that a path leads to, without links on the way; nil for a ring of links, and for a
  /// path that leads nowhere.
  ///
  /// A link at the path's end is followed only where `followsLast` says so; above the root is the
  /// root. `link` says what the link at a place says, and nil where there is none.
  package static func place(
    of path: HostPath, followsLast: Bool = true, link: (_ place: HostPath) -> [UInt8]?
  ) -> HostPath? {
    if path.leadsNowhere { return nil }
    return place(along: path.components, followsLast: followsLast, link: link)
  }

  /// The same of an absolute path of elsewhere, which may have `..` in it.
  package static func place(
    of text: String, link: (_ place: HostPath) -> [UInt8]?
  ) -> HostPath? {
    let bytes = Array(text.utf8)
    guard bytes.first == slash, !bytes.contains(0) else { return nil }
    return place(along: bytes.split(separator: slash), followsLast: true, link: link)
  }

  private static let slash = UInt8(ascii: "/")

  private static func place(
    along components: [ArraySlice<UInt8>], followsLast: Bool, link: (HostPath) -> [UInt8]?
  ) -> HostPath? {
    var rest = Array(components.reversed())
    var done = HostPath.root
    var links = 0
    while let component = rest.popLast() {
      if component.elementsEqual(".".utf8) { continue }
      if component.elementsEqual("..".utf8) {
        done = done.parent
        continue
      }
      let place = done.appending(component)
      guard followsLast || !rest.isEmpty, let target = link(place) else {
        done = place
        continue
      }
      links += 1
      if links > linksMax || target.contains(0) { return nil }
      if target.first == slash { done = .root }
      rest += target.split(separator: slash).reversed()
    }
    return done
  }
}
