/// A table of TOML: its keys with their values, in the order in which the text first names them.
package struct TOMLTable: Sendable {
  package struct Member: Sendable {
    /// The key; of a dotted key, one part.
    package var name: String
    /// Where the key stands; for a table with a header of its own, in that header.
    package var place: TOMLPlace
    package var value: TOMLValue
  }

  /// No two have a name of the same bytes.
  package var members: [Member] = []

  /// Reads a text of TOML 1.0, in time and memory proportional to its length, and of no more keys and
  /// values than a policy has.
  package init(parsing bytes: [UInt8]) throws(TOMLError) {
    var reader = TOMLReader(bytes)
    self = try reader.document()
  }

  init(members: [Member]) { self.members = members }
}

/// A value of TOML, and where it begins.
package struct TOMLValue: Sendable {
  package indirect enum Content: Sendable {
    case string(String)
    case integer(Int)
    /// As it is written: no key of a policy takes one.
    case float(String)
    case boolean(Bool)
    /// A date, a time or both, as it is written: no key of a policy takes one.
    case date(String)
    case array([TOMLValue])
    case table(TOMLTable)
  }

  package var content: Content
  package var place: TOMLPlace
}

/// A place in a text, both numbers counted from 1.
package struct TOMLPlace: Hashable, Sendable {
  package var line: Int
  /// In Unicode scalars.
  package var column: Int
}

/// The first place at which a text is not TOML.
package struct TOMLError: Error, Hashable, Sendable {
  package var place: TOMLPlace
  /// What is wrong, and what stands there.
  package var sentence: String
}
