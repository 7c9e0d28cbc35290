/// The tables of a text while it is read, and TOML's rules of what may be added to which.
struct TOMLTree {
  /// The number of the table that everything is in.
  static let root = 0

  /// How a table came to be.
  private enum Origin {
    /// By a header further down: `a` by `[a.b]`.
    case implied
    /// By its own header.
    case header
    /// By a dotted key: `a` by `a.b = 1`.
    case dotted
  }

  private enum Node {
    case value(TOMLValue)
    /// A number in `tables`.
    case table(Int)
    /// A number in `lists`: an array of tables.
    case tables(Int)
  }

  private struct Table {
    var origin: Origin
    var members: [(key: TOMLKey, node: Node)] = []
    /// The members' numbers by the bytes of their keys.
    var numbers: [[UInt8]: Int] = [:]
  }

  private var tables = [Table(origin: .header)]
  /// The tables of each array of tables, never none.
  private var lists: [[Int]] = []

  /// The number of the table that a header `[a.b]` opens.
  mutating func open(_ path: [TOMLKey]) throws(TOMLError) -> Int {
    let (parent, key) = try parent(of: path)
    guard let number = tables[parent].numbers[key.bytes] else {
      return addTable(.header, key, to: parent)
    }
    guard case .table(let table) = tables[parent].members[number].node,
      tables[table].origin == .implied
    else { throw defined(key, tables[parent].members[number].key) }
    tables[table].origin = .header
    tables[parent].members[number].key.place = key.place
    return table
  }

  /// The number of the table that a header `[[a.b]]` opens.
  mutating func append(_ path: [TOMLKey]) throws(TOMLError) -> Int {
    let (parent, key) = try parent(of: path)
    let table = tables.count
    if let number = tables[parent].numbers[key.bytes] {
      guard case .tables(let list) = tables[parent].members[number].node else {
        throw defined(key, tables[parent].members[number].key)
      }
      lists[list].append(table)
    } else {
      add(.tables(lists.count), key, to: parent)
      lists.append([table])
    }
    tables.append(Table(origin: .header))
    return table
  }

  /// Adds `a.b = value` to a table.
  mutating func set(
    _ path: [TOMLKey], to value: TOMLValue, in section: Int
  ) throws(TOMLError) {
    var table = section
    for key in path.dropLast() {
      guard let number = tables[table].numbers[key.bytes] else {
        table = addTable(.dotted, key, to: table)
        continue
      }
      let member = tables[table].members[number]
      switch member.node {
      case .table(let below) where tables[below].origin != .header:
        // `[a.b]` after this would define it for a second time.
        tables[below].origin = .dotted
        table = below
      case .value: throw closed(key, member.key, member.node)
      case .table, .tables:
        throw key.error(
          "\(quoted(key.name)) has a section in line \(member.key.place.line); its keys belong there"
        )
      }
    }
    guard let key = path.last else { return }
    if let number = tables[table].numbers[key.bytes] {
      throw defined(key, tables[table].members[number].key)
    }
    add(.value(value), key, to: table)
  }

  /// The table in which the last key of a header stands; those above it are made as needed.
  private mutating func parent(
    of path: [TOMLKey]
  ) throws(TOMLError) -> (table: Int, key: TOMLKey) {
    guard let last = path.last else { preconditionFailure("a path has a key") }
    var table = Self.root
    for key in path.dropLast() {
      guard let number = tables[table].numbers[key.bytes] else {
        table = addTable(.implied, key, to: table)
        continue
      }
      let member = tables[table].members[number]
      switch member.node {
      case .table(let below): table = below
      case .tables(let list): table = lists[list][lists[list].count - 1]
      case .value: throw closed(key, member.key, member.node)
      }
    }
    return (table, last)
  }

  private mutating func addTable(_ origin: Origin, _ key: TOMLKey, to table: Int) -> Int {
    tables.append(Table(origin: origin))
    add(.table(tables.count - 1), key, to: table)
    return tables.count - 1
  }

  private mutating func add(_ node: Node, _ key: TOMLKey, to table: Int) {
    tables[table].numbers[key.bytes] = tables[table].members.count
    tables[table].members.append((key, node))
  }

  private func defined(_ key: TOMLKey, _ earlier: TOMLKey) -> TOMLError {
    key.error("\(quoted(key.name)) is already defined in line \(earlier.place.line)")
  }

  private func closed(_ key: TOMLKey, _ earlier: TOMLKey, _ node: Node) -> TOMLError {
    let line = "line \(earlier.place.line)"
    if case .value(let value) = node, case .table = value.content {
      return key.error(
        "\(quoted(key.name)) is an inline table in \(line), which takes no more keys")
    }
    return key.error("\(quoted(key.name)) is a value in \(line) and has no keys")
  }
}

extension TOMLTree {
  /// All that was read.
  var table: TOMLTable { table(Self.root) }

  // The reader bounds how deep tables stand in each other, and with it this recursion.
  private func table(_ number: Int) -> TOMLTable {
    TOMLTable(
      members: tables[number].members.map { key, node in
        TOMLTable.Member(name: key.name, place: key.place, value: value(node, key.place))
      })
  }

  private func value(_ node: Node, _ place: TOMLPlace) -> TOMLValue {
    switch node {
    case .value(let value): value
    case .table(let number): TOMLValue(content: .table(table(number)), place: place)
    case .tables(let list):
      TOMLValue(
        content: .array(
          lists[list].map { TOMLValue(content: .table(table($0)), place: place) }),
        place: place)
    }
  }
}

/// One part of a key, and where it stands.
struct TOMLKey {
  /// UTF-8 without quotes and escapes: two keys are one where these are the same.
  var bytes: [UInt8]
  var place: TOMLPlace

  var name: String { String(decoding: bytes, as: UTF8.self) }

  func error(_ sentence: String) -> TOMLError { TOMLError(place: place, sentence: sentence) }
}
