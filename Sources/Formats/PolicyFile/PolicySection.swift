internal import Bytes
internal import HostModel

/// The keys of one section that could be read.
struct PolicySection {
  var profile: String?
  private(set) var values: [(key: PolicyKey, value: PolicyValue)] = []

  mutating func append(_ key: PolicyKey, _ value: PolicyValue) { values.append((key, value)) }

  func apply(to policy: inout Policy) {
    for (key, value) in values {
      do throws(PolicyValueError) {
        try key.read(value, &policy)
      } catch {
        preconditionFailure("\(key.path) was read before")
      }
    }
  }
}

/// Reads the sections of a policy file, and keeps what is wrong with them.
struct PolicyReader {
  let file: String
  let places: TOMLPlaces
  private(set) var problems: [PolicyProblem] = []

  init(file: String, places: TOMLPlaces) {
    self.file = file
    self.places = places
  }

  private mutating func object(_ path: [String], _ scope: PolicyScope, _ sentence: String) {
    problems.append(
      PolicyProblem(file: file, line: places.line(of: path), sentence: sentence, scope: scope))
  }

  /// The tables of one kind in the order of the file.
  mutating func tables(
    _ tables: [String: PolicyValue], of kind: String, _ scope: (String) -> PolicyScope
  ) -> [(String, [String: PolicyValue])] {
    var found: [(String, [String: PolicyValue])] = []
    let written = places.names(under: kind)
    for name in written + tables.keys.sorted().filter({ !written.contains($0) }) {
      guard let value = tables[name] else { continue }
      if case .table(let keys) = value {
        found.append((name, keys))
      } else {
        object(
          [kind, name], .file,
          "\(kind).\(name) is \(value), not a section; the sections are [\(kind).\"NAME\"]")
      }
    }
    return found
  }

  mutating func section(
    _ members: [String: PolicyValue], at path: [String], _ scope: PolicyScope
  ) -> PolicySection {
    var section = PolicySection()
    for (key, value) in Self.leaves(members, below: []) {
      let dotted = key.joined(separator: ".")
      if dotted == "profile" {
        section.profile = profile(value, at: path + key, scope)
      } else if let known = PolicyKey.named(dotted) {
        // Tried on a policy that nobody has, so that every error is found at once.
        var trial = Policy()
        do throws(PolicyValueError) {
          try known.read(value, &trial)
          section.append(known, value)
        } catch {
          object(path + key, scope, "\(dotted) is \(value), not \(error.expected)")
        }
      } else {
        object(path + key, scope, Self.unknown(dotted, among: PolicyKey.all.map(\.path)))
      }
    }
    return section
  }

  private mutating func profile(
    _ value: PolicyValue, at path: [String], _ scope: PolicyScope
  ) -> String? {
    if case .profile = scope {
      object(path, scope, "a profile names no profile of its own")
      return nil
    }
    guard case .string(let name) = value else {
      object(path, scope, "profile is \(value), not the name of a profile")
      return nil
    }
    return name
  }

  mutating func checkProfile(
    of section: PolicySection, _ scope: PolicyScope, among profiles: [String]
  ) {
    guard let name = section.profile, !profiles.contains(name) else { return }
    let nearest = Spelling.nearest(to: name, among: profiles)
    var path = ["defaults", "profile"]
    if case .vm(let vm) = scope { path = ["vm", vm, "profile"] }
    object(
      path, scope,
      "profile is \(quoted(name)), but there is no [profile.\"\(name)\"]"
        + (nearest.map { "; the nearest is \(quoted($0))" } ?? ""))
  }

  mutating func objectToSection(_ name: String, _ value: PolicyValue) {
    let kinds = ["defaults", "profile", "vm"]
    if kinds.contains(name) {
      object([name], .file, "\(name) is \(value), not a section")
    } else if case .table = value,
      PolicyKey.all.allSatisfy({ $0.path != name && !$0.path.begins(with: name + ".") })
    {
      let nearest = Spelling.nearest(to: name, among: kinds) ?? "vm.\"NAME\""
      object([name], .file, "there is no section [\(name)]; the nearest is [\(nearest)]")
    } else {
      object(
        [name], .file,
        "\(quoted(name)) stands in no section; put it under [defaults] or [vm.\"NAME\"]")
    }
  }

  static func unknown(_ key: String, among known: [String]) -> String {
    let group = known.filter { $0.begins(with: key + ".") }
    if !group.isEmpty {
      return "\(key) is no key by itself; its keys are \(group.joined(separator: ", "))"
    }
    let nearest = Spelling.nearest(to: key, among: known + ["profile"])
    return "there is no key \(quoted(key))"
      + (nearest.map { "; the nearest is \(quoted($0))" } ?? "")
  }

  /// The values of a table and of the tables in it, with their paths, in the order of their names.
  private static func leaves(
    _ members: [String: PolicyValue], below path: [String]
  ) -> [([String], PolicyValue)] {
    members.sorted { $0.key < $1.key }.flatMap { name, value -> [([String], PolicyValue)] in
      let path = path + [name]
      // What has a key of its own is that key's to read, with all the tables in it.
      let isKey = PolicyKey.named(path.joined(separator: ".")) != nil
      if case .table(let members) = value, !members.isEmpty, path.count <= 8, !isKey {
        return leaves(members, below: path)
      }
      return [(path, value)]
    }
  }
}
