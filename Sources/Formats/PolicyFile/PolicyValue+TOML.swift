internal import Bytes

/// Values as a policy file has them.
extension PolicyValue {
  /// The value as it would be written in the file.
  package var toml: String {
    switch self {
    case .bool, .integer, .other: "\(self)"
    case .string(let text): Self.quoted(text)
    case .array(let values): "[\(values.map(\.toml).joined(separator: ", "))]"
    case .table(let members):
      members.isEmpty
        ? "{}"
        : "{ "
          + members.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)) = \($0.value.toml)" }
          .joined(separator: ", ") + " }"
    }
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.replaced("\\", by: "\\\\").replaced("\"", by: "\\\"")
    return "\"\(escaped)\""
  }

  /// The value that is written so; nil for what is none.
  init?(toml text: String) {
    do throws(TOMLError) {
      let table = try TOMLTable(parsing: Array("value = \(text)".utf8))
      guard table.members.count == 1 else { return nil }
      self.init(table.members[0].value)
    } catch {
      return nil
    }
  }

  /// The name of its type.
  var type: String {
    switch self {
    case .bool: "boolean"
    case .integer: "number"
    case .string: "text"
    case .array: "array"
    case .table: "table"
    case .other: "other"
    }
  }
}
