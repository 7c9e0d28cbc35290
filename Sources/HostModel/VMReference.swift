package import Bytes

/// One VM, as somebody refers to it: in the policy, among the arguments of a command.
///
/// What is written as an id is an id and nothing else, so that no VM is taken for another one because
/// it is called like the other's UUID or vmid.
package enum VMReference: Hashable, Sendable {
  /// A UUID of libvirt's, in lower case with its dashes.
  case uuid(String)
  /// A number of Proxmox's: digits, and nothing else.
  case vmid(String)
  case name(ExactText)

  package init(_ text: some StringProtocol) {
    if let uuid = Self.canonicalUUID(text) {
      self = .uuid(uuid)
    } else if Self.isVMID(text) {
      self = .vmid(String(text))
    } else {
      self = .name(ExactText(text))
    }
  }

  /// Whether it is the VM with this name, and this UUID or vmid.
  package func isFor(_ hypervisor: Hypervisor, id: String?, name: String) -> Bool {
    switch self {
    case .uuid(let uuid): hypervisor == .libvirt && id.map(uuid.isSame) ?? false
    case .vmid(let vmid): hypervisor == .proxmox && id.map(vmid.isSame) ?? false
    case .name(let own): own == ExactText(name)
    }
  }

  package func isFor(_ domain: Domain) -> Bool {
    isFor(domain.hypervisor, id: domain.id, name: domain.name)
  }

  /// Whether it says which VM is meant, whatever that is called.
  package var isID: Bool {
    if case .name = self { false } else { true }
  }

  /// A UUID in lower case with its dashes; nil for what is none.
  ///
  /// libvirt lets dashes and spaces stand between any two pairs of digits (src/util/viruuid.c,
  /// `virUUIDParse()`).
  package static func canonicalUUID(_ text: some StringProtocol) -> String? {
    // Most texts that are looked at are short names.
    guard text.utf8.count >= 32 else { return nil }
    let digits = String(text).trimmed.lowercasedASCII.utf8.filter { !"- ".utf8.contains($0) }
    guard digits.count == 32, digits.allSatisfy({ $0.hexDigitValue != nil }) else { return nil }
    var rest = digits[...]
    return [8, 4, 4, 4, 12].map { length in
      defer { rest = rest.dropFirst(length) }
      return String(decoding: rest.prefix(length), as: UTF8.self)
    }.joined(separator: "-")
  }

  static func isVMID(_ text: some StringProtocol) -> Bool {
    !text.utf8.isEmpty && text.utf8.allSatisfy(\.isDigit)
  }
}

extension Domain {
  /// Whether two configurations are those of one VM: by its UUID or vmid, and by its name only where
  /// neither has one.
  package func isSame(as other: Domain) -> Bool {
    guard hypervisor == other.hypervisor else { return false }
    if let id, let otherID = other.id { return id.isSame(as: otherID) }
    return id == nil && other.id == nil && name.isSame(as: other.name)
  }
}
