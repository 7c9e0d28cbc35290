internal import Bytes

extension Policy {
  /// A value that one of the kernel's attributes is to have while a domain is in.
  package struct Attribute: Hashable, Sendable {
    package var path: String
    package var value: String

    package init(path: String, value: String) {
      self.path = path
      self.value = value
    }
  }
}

extension Policy.Attribute {
  /// Where attributes may be that policy names, in words.
  package static let roots =
    "/proc/sys, /sys/module/*/parameters, /sys/kernel/mm or /sys/devices/system/cpu"

  /// Whether a path lies below one of the roots and has nothing in it that leads away again.
  ///
  /// Whether one of its parts is a link is for the host to tell.
  package static func isAllowed(_ path: String) -> Bool {
    guard path.utf8.count < 1024, path.begins(with: "/"),
      path.utf8.allSatisfy({ (33...126).contains($0) })
    else { return false }
    let parts = path.droppingFirst().fields(at: "/", keepingEmpty: true)
    guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else { return false }
    let roots: [[Substring]] = [
      ["proc", "sys"], ["sys", "module", "*", "parameters"], ["sys", "kernel", "mm"],
      ["sys", "devices", "system", "cpu"],
    ]
    return roots.contains { root in
      parts.count > root.count && zip(root, parts).allSatisfy { $0 == "*" || $0 == $1 }
    }
  }
}
