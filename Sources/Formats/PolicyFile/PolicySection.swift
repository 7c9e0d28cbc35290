internal import Bytes
internal import HostModel

/// The keys of one section that could be read.
struct PolicySection {
  struct ProfileName {
    var name: String
    var place: PolicyPlace
  }

  /// What is said of a key, and where; that is nil for a profile of every host.
  typealias Entry = (key: PolicyKey, value: PolicyValue, place: PolicyPlace?)

  var profile: ProfileName?
  private(set) var values: [Entry] = []

  mutating func append(_ entry: Entry) { values.append(entry) }

  /// Adds what another file says of the same section, which counts before what is here.
  mutating func append(_ other: PolicySection) {
    values += other.values
    profile = other.profile ?? profile
  }

  func apply(to policy: inout Policy) {
    for (key, value, _) in values {
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
  private(set) var problems: [PolicyProblem] = []

  init(file: String) { self.file = file }

  private mutating func object(_ place: TOMLPlace, _ scope: PolicyScope, _ sentence: String) {
    problems.append(
      PolicyProblem(
        file: file, line: place.line, column: place.column, sentence: sentence, scope: scope))
  }

  /// The tables of one kind in the order of the file.
  mutating func tables(
    _ tables: TOMLTable, of kind: String
  ) -> [(name: String, line: Int, keys: TOMLTable)] {
    var found: [(name: String, line: Int, keys: TOMLTable)] = []
    for member in tables.members {
      if case .table(let keys) = member.value.content {
        found.append((member.name, member.place.line, keys))
      } else {
        object(
          member.place, .file,
          "\(kind).\(member.name) is \(PolicyValue(member.value)), not a section; "
            + "the sections are [\(kind).\"NAME\"]")
      }
    }
    return found
  }

  /// The keys of a section; of one that is for all VMs together (`[limits]`), with its name.
  mutating func section(
    _ table: TOMLTable, _ scope: PolicyScope, named name: String? = nil
  ) -> PolicySection {
    var section = PolicySection()
    for (dotted, member) in Self.leaves(table, below: name.map { [$0] } ?? []) {
      let value = PolicyValue(member.value)
      let place = PolicyPlace(file: file, member.place, scope: scope, table: name)
      if dotted == "profile" {
        section.profile = profile(value, place, scope)
      } else if let known = PolicyKey.named(dotted) {
        if let table = known.table, table != name {
          object(member.place, scope, "\(dotted) is no VM's own; it stands under [\(table)]")
          continue
        }
        // Tried on a policy that nobody has, so that every error is found at once.
        var trial = Policy()
        do throws(PolicyValueError) {
          try known.read(value, &trial)
          section.append((known, value, place))
        } catch {
          object(
            member.place, scope,
            "\(dotted) is \(value), not \(error.expected)\(known.culprits(in: value))")
        }
      } else {
        object(member.place, scope, Self.unknown(dotted, among: PolicyKey.paths(in: name)))
      }
    }
    return section
  }

  private mutating func profile(
    _ value: PolicyValue, _ place: PolicyPlace, _ scope: PolicyScope
  ) -> PolicySection.ProfileName? {
    if case .profile = scope {
      object(place.place, scope, "a profile names no profile of its own")
      return nil
    }
    guard case .string(let name) = value else {
      object(place.place, scope, "profile is \(value), not the name of a profile")
      return nil
    }
    return PolicySection.ProfileName(name: name, place: place)
  }

  mutating func checkProfile(
    of section: PolicySection, _ scope: PolicyScope, among profiles: [String]
  ) {
    guard let profile = section.profile,
      !profiles.contains(where: { $0.isSame(as: profile.name) })
    else { return }
    let name = profile.name
    let nearest = Spelling.nearest(to: name, among: profiles)
    object(
      profile.place.place, scope,
      "profile is \(quoted(name)), but there is no [profile.\"\(name)\"]"
        + (nearest.map { "; the nearest is \(quoted($0))" } ?? ""))
  }

  mutating func objectToSection(_ member: TOMLTable.Member) {
    let (name, value) = (member.name, PolicyValue(member.value))
    let kinds = ["defaults", "profile", "vm"] + PolicyKey.tables
    if kinds.contains(name) {
      object(member.place, .file, "\(name) is \(value), not a section")
    } else if case .table = value,
      PolicyKey.all.allSatisfy({ $0.path != name && !$0.path.begins(with: name + ".") })
    {
      let nearest = Spelling.nearest(to: name, among: kinds) ?? "vm.\"NAME\""
      object(member.place, .file, "there is no section [\(name)]; the nearest is [\(nearest)]")
    } else {
      object(
        member.place, .file,
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

  /// The keys of a table and of the tables in it, with their dots, in the order of their names.
  private static func leaves(
    _ table: TOMLTable, below path: [String]
  ) -> [(String, TOMLTable.Member)] {
    table.members.sorted { $0.name < $1.name }.flatMap { member -> [(String, TOMLTable.Member)] in
      let path = path + [member.name]
      let dotted = path.joined(separator: ".")
      // What has a key of its own is that key's to read, with all the tables in it.
      let isKey = PolicyKey.named(dotted) != nil
      if case .table(let table) = member.value.content, !table.members.isEmpty, path.count <= 8,
        !isKey
      {
        return leaves(table, below: path)
      }
      return [(dotted, member)]
    }
  }
}
