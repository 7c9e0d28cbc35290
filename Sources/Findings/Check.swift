/// Something that is looked at on a host.
///
/// A check is pure: it looks at nothing but what it is handed.
package protocol HostCheck: Sendable {
  /// The name of the check in output.
  static var name: String { get }

  func findings(on host: ExaminedHost) -> [Finding]
}

/// Something that is looked at for each domain.
package protocol DomainCheck: Sendable {
  /// The name of the check in output.
  static var name: String { get }

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding]
}
