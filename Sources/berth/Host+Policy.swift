internal import Formats
internal import HostModel
internal import State

extension Host {
  /// The administrator's policy file; an empty one where there is none.
  ///
  /// - Throws: `HostError` for a file that somebody else than root could have written.
  func policyFile() throws(HostError) -> PolicyFile {
    let folder = root + "/etc/berth"
    let bytes: [UInt8]
    do throws(HostError) {
      bytes = try RootOwnedDirectory(folder).bytes(of: "berth.toml", limit: 1 << 20)
    } catch  where ErrorNumber(error.errno) == .notFound {
      return .empty
    }
    return PolicyFile(bytes, named: "\(folder)/berth.toml")
  }

  /// What the policy file and its own metadata say for a domain.
  func policy(for domain: Domain) throws -> DomainPolicy {
    try policyFile().policy(for: domain)
  }
}
