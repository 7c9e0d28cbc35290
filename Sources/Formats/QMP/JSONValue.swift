/// A value of JSON (RFC 8259).
///
/// Foundation has a reader, too, but no hook touches Foundation: its start costs time, and how deep
/// a text may make its reader recurse is not Berth's to say.
package enum JSONValue: Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  /// A number with a fraction or an exponent, or one that is too great: nothing that is asked for.
  case number
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

extension JSONValue {
  /// The member of an object; nil where there is none, and for any other value.
  subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members[key]
  }

  var integer: Int? {
    guard case .integer(let integer) = self else { return nil }
    return integer
  }

  var string: String? {
    guard case .string(let string) = self else { return nil }
    return string
  }
}

/// Why a text is not JSON, and at which of its bytes.
struct JSONError: Error, Equatable {
  var offset: Int
  var sentence: String
}
