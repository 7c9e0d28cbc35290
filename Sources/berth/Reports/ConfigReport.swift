internal import Formats
internal import HostModel

/// What holds of each key of the policy for a VM, and who says so.
struct ConfigReport: Encodable {
  var domain: String
  var keys: [Key]
  var warnings: [String]

  enum Origin: String, Encodable {
    case standard = "default"
    case file
    /// A profile that every host has.
    case profile
    /// The VM's own metadata.
    case metadata
  }

  struct Key: Encodable {
    var key: String
    var value: JSONValue
    var origin: Origin
    /// Where it is said, or where the profile is named.
    @Nullable var file: String?
    @Nullable var line: Int?
    @Nullable var section: String?
    @Nullable var profile: String?
  }

  init(_ keys: [EffectiveKey], of domain: Domain, warnings: [String]) {
    self.domain = domain.name
    self.warnings = warnings
    self.keys = keys.map(Key.init)
  }

  /// The keys of which somebody says something, and how many are left at their defaults; all of them if it is verbose.
  func lines(isVerbose: Bool, columns: Int?) -> [Text] {
    let shown = keys.filter { isVerbose || $0.origin != .standard }
    var table = Table()
    for key in shown {
      let style: Terminal.Style? = key.origin == .standard ? .faint : nil
      table.append(
        Text("\(key.key) = \(key.value.value.toml)", style), Text(key.source, style))
    }
    var lines = table.lines(width: columns)
    let rest = keys.count - shown.count
    if rest > 0 {
      let others = shown.isEmpty ? "all" : "the other"
      lines.append(Text("\(others) \(rest) keys have their defaults; -v shows them", .faint))
    }
    return lines + warnings.map { Text("warning: ", .yellow) + Text($0) }
  }
}

extension ConfigReport.Key {
  fileprivate init(_ key: EffectiveKey) {
    self.init(key: key.path, value: JSONValue(value: key.value), origin: .standard)
    switch key.origin {
    case .standard: break
    case .written(let place):
      origin = .file
      (file, line, section) = (place.file, place.line, place.section)
    case .profile(let name, let place):
      origin = .profile
      (file, line, section, profile) = (place.file, place.line, place.section, name)
    case .metadata: origin = .metadata
    }
  }

  fileprivate var source: String {
    let place = "\(file ?? ""):\(line ?? 0) \(section ?? "")"
    return switch origin {
    case .standard: "default"
    case .file: place
    case .profile: "profile \(profile ?? "") by \(place)"
    case .metadata: "the VM's own metadata"
    }
  }
}

/// A value of the policy as JSON has it.
struct JSONValue: Encodable {
  var value: PolicyValue

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch value {
    case .bool(let bool): try container.encode(bool)
    case .integer(let integer): try container.encode(integer)
    case .string(let text), .other(let text): try container.encode(text)
    case .array(let values): try container.encode(values.map(JSONValue.init))
    case .table(let members): try container.encode(members.mapValues(JSONValue.init))
    }
  }
}
