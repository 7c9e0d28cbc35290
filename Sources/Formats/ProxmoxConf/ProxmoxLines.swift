internal import Bytes
internal import HostModel

/// The lines of a configuration: what is set before the first section, what waits in `[PENDING]`, and the
/// notes.
package struct ProxmoxLines {
  package struct Setting {
    package var key: String
    package var value: String
    /// Counted from 1.
    var number: Int
  }

  package private(set) var settings: [Setting] = []
  /// What `[PENDING]` sets.
  private var pending: [Setting] = []
  /// The keys that `[PENDING]` takes out.
  private var deleted: Set<String> = []
  private(set) var warnings: [ProxmoxProblem] = []
  /// The lines of `#` and of `description:`, decoded.
  private(set) var description = ""

  private let file: String
  private var sections: Set<String> = []
  private var isPending = false

  /// Reads a whole file.
  ///
  /// - Throws: For more bytes than `/etc/pve` holds in a file, for a NUL byte, and where no line of
  ///   the machine itself sets any key of Proxmox's.
  package init(_ bytes: [UInt8], named file: String) throws(ProxmoxProblem) {
    self.file = file
    try Self.check(bytes, named: file)
    var firstUnread: (line: Int, text: String)?
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let text = String(decoding: line, as: UTF8.self)
      if !read(text, index + 1), firstUnread == nil { firstUnread = (index + 1, text) }
    }
    description = description.trimmedEnd
    if settings.contains(where: { ProxmoxSettings.isKey($0.key) }) { return }
    guard let line = firstUnread else {
      throw ProxmoxProblem(
        file: file, line: settings.first?.number ?? 1,
        "nothing in it is set for a virtual machine of Proxmox's")
    }
    throw ProxmoxProblem(
      file: file, line: line.line, value: line.text,
      "\(quoted(line.text)) is no line of a virtual machine's configuration of Proxmox's")
  }

  /// Refuses what no file in `/etc/pve` holds.
  static func check(_ bytes: [UInt8], named file: String) throws(ProxmoxProblem) {
    if bytes.count > ProxmoxConf.capacity {
      throw ProxmoxProblem(
        file: file, line: 1, "it has \(bytes.count) bytes, and no file of Proxmox's more than 1 MiB"
      )
    }
    if let end = bytes.firstIndex(of: 0) {
      let line = bytes[..<end].count { $0 == UInt8(ascii: "\n") } + 1
      throw ProxmoxProblem(file: file, line: line, "a NUL byte, which no configuration holds")
    }
  }

  /// The most lines that are warned of: a file of hundreds of thousands is no configuration.
  static let warningsMax = 100

  mutating func warn(_ line: Int, value: String? = nil, _ sentence: String) {
    guard warnings.count <= Self.warningsMax else { return }
    let isListed = warnings.count < Self.warningsMax
    warnings.append(
      ProxmoxProblem(
        file: file, line: line, value: isListed ? value : nil,
        isListed ? sentence : "this line and further ones are ignored as well"))
  }

  /// Takes a line in; false for one that no rule fits.
  private mutating func read(_ line: String, _ number: Int) -> Bool {
    let text = line.trimmedEnd
    if text.isEmpty { return true }
    if let section = Self.header(text) {
      enter(section, number)
      return true
    }
    if !sections.isEmpty {
      if isPending { readPending(line) }
      // The other sections are not what runs.
      return true
    }
    if text.utf8.first == UInt8(ascii: "#") {
      description += Self.decoded(line.droppingFirst()) + "\n"
    } else if let note = Self.value(of: "description", in: text) {
      description += Self.decoded(note)
    } else if Self.isSnapshotState(text) {
      return true
    } else if Self.value(of: "delete", in: text) != nil {
      warn(number, "“delete” has a meaning in [PENDING] only; the line is ignored")
    } else if let (key, value) = Self.setting(line) {
      settings.append(Setting(key: key, value: value, number: number))
    } else {
      warn(number, value: line, "\(quoted(line)) is not “key: value”; the line is ignored")
      return false
    }
    return true
  }

  private mutating func enter(_ section: String, _ number: Int) {
    let name = section.lowercasedASCII
    let special = ["special:cloudinit", "special:fleecing"].contains(name)
    if !special, !Self.isSnapshot(name) {
      warn(number, value: section, "[\(section)] is a section that Proxmox does not know")
    } else if sections.contains(name) {
      warn(number, value: section, "a second [\(section)], which replaces the first")
    }
    sections.insert(name)
    isPending = name == "pending"
    if isPending { (pending, deleted) = ([], []) }
  }

  /// What is to be taken out is a list of keys, of which `!` says that what they name goes as well
  /// (`parse_pending_delete()` in src/PVE/AbstractConfig.pm of pve-guest-common).
  private mutating func readPending(_ line: String) {
    if let keys = Self.value(of: "delete", in: line.trimmedEnd) {
      deleted = Set(keys.fields(atAnyOf: ",", ";", " ").map { String($0.rest(after: "!") ?? $0) })
    } else if let (key, value) = Self.setting(line) {
      pending.append(Setting(key: key, value: value, number: 0))
    }
  }
}

extension ProxmoxLines {
  /// Whether the machine is hibernated: it goes on with what it had, so that nothing pending is applied
  /// (`vm_start()` in src/PVE/QemuServer.pm).
  var isHibernated: Bool {
    settings.contains { $0.key == "vmstate" || $0.key == "lock" && $0.value == "suspended" }
  }

  /// The keys of `[PENDING]`, ascending.
  var pendingKeys: [String] { deleted.union(pending.map(\.key)).sorted() }

  /// Puts in what `[PENDING]` says: first what it takes out, then what it sets
  /// (`vmconfig_apply_pending()` in src/PVE/QemuServer.pm).
  package mutating func applyPending() {
    if isHibernated { return }
    let numbers = settings
    settings.removeAll { deleted.contains($0.key) }
    settings += pending.map { setting in
      var applied = setting
      applied.number = numbers.last { $0.key == setting.key }?.number ?? 1
      return applied
    }
  }
}

extension ProxmoxLines {
  /// What stands between the brackets of a section's header; nil for any other line.
  private static func header(_ text: String) -> String? {
    guard text.begins(with: "["), text.ends(with: "]"), text.utf8.count > 1 else { return nil }
    let name = text.droppingFirst().droppingLast()
    return name.has("]") ? nil : String(name)
  }

  /// Whether a lower-case name may be that of a snapshot; `pending` is of the same form.
  private static func isSnapshot(_ name: String) -> Bool {
    name.utf8.count > 1 && name.utf8.first.map(isLowerCase) == true
      && name.utf8.allSatisfy { isLowerCase($0) || $0.isDigit || "_-".utf8.contains($0) }
  }

  private static func isLowerCase(_ byte: UInt8) -> Bool { (97...122).contains(byte) }

  /// The value of a line that begins with this key; nil where it does not, or has none.
  private static func value(of key: String, in text: String) -> String? {
    guard let value = text.rest(after: key + ":")?.trimmed, !value.isEmpty else { return nil }
    return value
  }

  /// Whether a snapshot in the making left its mark, wherever it stands in the line.
  private static func isSnapshotState(_ text: String) -> Bool {
    ["prepare", "delete"].contains { state in
      text.rest(before: state)?.trimmedEnd.ends(with: "snapstate:") == true
    }
  }

  /// Key and value of a line: the key is letters, `-` and `_`, then digits.
  private static func setting(_ text: String) -> (String, String)? {
    guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let key = text[..<colon].utf8
    let word = key.prefix { isLowerCase($0) || "_-".utf8.contains($0) }
    guard word.first.map(isLowerCase) == true,
      key.dropFirst(word.count).allSatisfy(\.isDigit)
    else { return nil }
    let rest = text[text.utf8.index(after: colon)...]
    let value = rest.trimmed
    // To Proxmox, blanks alone are a value too: its own `boot: ` may have no other.
    if value.isEmpty, rest.isEmpty { return nil }
    return (String(text[..<colon]), value)
  }

  /// A text without its percent escapes, as URIs have them; its bytes are UTF-8.
  private static func decoded(_ text: some StringProtocol) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count > 1,
        let high = hexadecimal(rest[rest.startIndex]),
        let low = hexadecimal(rest[rest.startIndex + 1])
      {
        bytes.append(high << 4 | low)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    byte.hexDigitValue.map { UInt8($0) }
  }
}

extension StringProtocol {
  /// The text without ASCII white space and newlines at its end.
  fileprivate var trimmedEnd: String {
    var rest = Substring(self).utf8
    while let last = rest.last, last.isSpace { rest.removeLast() }
    return String(Substring(rest))
  }
}
