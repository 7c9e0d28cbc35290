internal import Bytes
internal import HostModel

/// Sysctls and attributes with their values.
extension PolicyValue {
  /// The attributes of a table, ascending by their paths.
  ///
  /// A name without a slash at its front is a sysctl, and the tables in the table are the parts of
  /// its name: `vm.swappiness` needs no quotes.
  func attributes() throws(PolicyValueError) -> [Policy.Attribute] {
    guard case .table(let members) = self else {
      throw PolicyValueError("a table such as { \"vm.swappiness\" = 10 }")
    }
    var attributes: [Policy.Attribute] = []
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      try value.add(to: &attributes, named: name, depth: 0)
    }
    return attributes.sorted { $0.path < $1.path }
  }

  private func add(
    to attributes: inout [Policy.Attribute], named name: String, depth: Int
  ) throws(PolicyValueError) {
    if case .table(let members) = self, depth < 8 {
      for (part, value) in members.sorted(by: { $0.key < $1.key }) {
        try value.add(to: &attributes, named: "\(name).\(part)", depth: depth + 1)
      }
      return
    }
    let path = Self.path(of: name)
    guard Policy.Attribute.isAllowed(path) else {
      throw PolicyValueError(
        "a table of attributes below \(Policy.Attribute.roots) (\(quoted(name)) is none)")
    }
    guard let text = attributeText else {
      throw PolicyValueError(
        "a table of numbers, texts, true and false (\(quoted(name)) is \(self))")
    }
    guard !attributes.contains(where: { $0.path == path }) else {
      throw PolicyValueError("a table that names each attribute once (\(path) is there twice)")
    }
    attributes.append(Policy.Attribute(path: path, value: text))
  }

  /// The file of a sysctl: a slash in its name keeps the dots what they are, as in sysctl(8).
  private static func path(of name: String) -> String {
    if name.begins(with: "/") { return name }
    return "/proc/sys/" + (name.has("/") ? name : name.replaced(".", by: "/"))
  }

  private var attributeText: String? {
    switch self {
    case .bool(let bool): return bool ? "1" : "0"
    case .integer(let integer): return "\(integer)"
    case .string(let text):
      let text = text.trimmed
      let isPlain = text.utf8.allSatisfy { (32...126).contains($0) || $0 == 9 }
      return isPlain && (1...1000).contains(text.utf8.count) ? text : nil
    case .array, .table, .other: return nil
    }
  }
}
