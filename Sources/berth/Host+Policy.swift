internal import Bytes
internal import Formats
internal import HostModel
internal import State

extension Host {
  /// The administrator's policy: `/etc/berth/berth.toml`, and then the drop-ins by their names; an empty
  /// one where there is none.
  ///
  /// - Throws: `HostError` for a file that others than root could have written.
  func policyFile() throws(HostError) -> PolicyFile {
    let main = try Self.file("berth.toml", in: root + "/etc/berth")
    let files = [main].compactMap(\.self) + (try dropIns())
    return files.isEmpty ? .empty : PolicyFile(files)
  }

  private typealias NamedBytes = (bytes: [UInt8], name: String)

  /// The files `*.toml` of these folders in the order of their names; of one name the last counts, as
  /// systemd has it for its own (systemd.unit(5), “drop-in”).
  private func dropIns() throws(HostError) -> [NamedBytes] {
    var folders: [String: String] = [:]
    for folder in ["/usr/lib/berth", "/run/berth", "/etc/berth"] {
      let path = "\(root)\(folder)/berth.toml.d"
      let names = try Self.ifPresent { () throws(HostError) in
        try RootOwnedDirectory(path).entries()
      }
      for name in names ?? [] where name.ends(with: ".toml") && !name.begins(with: ".") {
        folders[name] = path
      }
    }
    var files: [NamedBytes] = []
    for (name, folder) in folders.sorted(by: { $0.key < $1.key }) {
      if let file = try Self.file(name, in: folder) { files.append(file) }
    }
    return files
  }

  private static func file(_ name: String, in folder: String) throws(HostError) -> NamedBytes? {
    try ifPresent { () throws(HostError) in
      (try RootOwnedDirectory(folder).bytes(of: name, limit: 1 << 20), "\(folder)/\(name)")
    }
  }

  private static func ifPresent<Result>(
    _ body: () throws(HostError) -> Result
  ) throws(HostError) -> Result? {
    do throws(HostError) {
      return try body()
    } catch  where ErrorNumber(error.errno) == .notFound {
      return nil
    }
  }

  /// What the policy file and its own metadata say for a domain.
  func policy(for domain: Domain) throws -> DomainPolicy {
    try policyFile().policy(for: domain)
  }
}
