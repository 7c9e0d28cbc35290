internal import Bytes
internal import Glibc
internal import HostModel

/// A glob(7) in the header of a section, and what it is compared with: ids or names, never both.
struct Glob: Hashable {
  private enum Kind {
    /// It begins as a UUID does: eight hexadecimal digits and a dash.
    case uuids
    /// It has digits besides its wildcards, and nothing else.
    case vmids
    /// It has nothing but wildcards: each VM goes by what nobody but the hypervisor chooses.
    case any
    case names
  }

  let text: ExactText
  private let kind: Kind

  /// Nil for a text without a wildcard.
  init?(_ text: String) {
    guard text.utf8.contains(where: "*?[".utf8.contains) else { return nil }
    self.text = ExactText(text)
    kind = Self.kind(of: Array(text.utf8))
  }

  var isOfNames: Bool { kind == .names }

  func fit(_ domain: Domain, countingNames: Bool) -> VMSection.Fit? {
    switch (kind, domain.hypervisor) {
    case (.uuids, .libvirt), (.vmids, .proxmox):
      return domain.id.map(fits) ?? false ? .globOfIDs : nil
    case (.uuids, .proxmox), (.vmids, .libvirt): return nil
    case (.any, .proxmox): return fits(domain.id ?? domain.name) ? .glob : nil
    case (.any, .libvirt): return fits(domain.name) ? .glob : nil
    case (.names, let hypervisor):
      guard hypervisor == .libvirt || countingNames else { return nil }
      return fits(domain.name) ? .glob : nil
    }
  }

  /// By bytes, as the program keeps to the C locale.
  private func fits(_ subject: String) -> Bool {
    // What C takes for the end of a text is in neither.
    guard !text.text.utf8.contains(0), !subject.utf8.contains(0) else { return false }
    return fnmatch(text.text, subject, 0) == 0
  }

  private static func kind(of bytes: [UInt8]) -> Kind {
    if bytes.count > 8, bytes[8] == UInt8(ascii: "-"),
      bytes[..<8].allSatisfy({ $0.hexDigitValue != nil })
    {
      return .uuids
    }
    guard let plain = outsideOfBrackets(bytes) else { return .names }
    let literals = plain.filter { !"*?".utf8.contains($0) }
    let isBracketed = plain.count < bytes.count
    if literals.isEmpty, !isBracketed { return .any }
    return literals.allSatisfy(\.isDigit) ? .vmids : .names
  }

  /// The bytes outside of `[…]`; nil where between the brackets is anything but digits.
  private static func outsideOfBrackets(_ bytes: [UInt8]) -> [UInt8]? {
    var plain: [UInt8] = []
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "[") else {
        plain.append(byte)
        continue
      }
      guard let end = rest.firstIndex(of: UInt8(ascii: "]")), end > rest.startIndex,
        rest[..<end].allSatisfy({ $0.isDigit || "-!^".utf8.contains($0) })
      else { return nil }
      rest = rest[(end + 1)...]
    }
    return plain
  }

  /// Whether every VM that another glob fits is surely one of this one's: where both go by the same, and
  /// this one is the beginning of the other with a `*` behind it.
  func covers(_ other: Glob) -> Bool {
    let bytes = Array(text.text.utf8)
    guard bytes.last == UInt8(ascii: "*"),
      kind == other.kind || kind == .any && other.kind == .names
    else { return false }
    let beginning = bytes.dropLast()
    guard !beginning.contains(where: "*?[\\".utf8.contains) else { return false }
    return other.text.text.utf8.starts(with: beginning)
  }
}
