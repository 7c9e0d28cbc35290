package import HostModel

/// The administrator's policy: `/etc/berth/berth.toml`, read as far as it can be read.
///
/// A file with errors is a value too. An error spoils only the part that it is in, so that a typo
/// in one VM's section does not keep the others from starting.
package struct PolicyFile {
  /// The file's name in messages.
  package let name: String
  /// All that is wrong in it, in the order of its lines.
  package private(set) var problems: [PolicyProblem] = []

  private var defaults = PolicySection()
  private var written: [String: PolicySection] = [:]
  /// The sections of VMs in the order of the file.
  private var vms: [(name: String, section: PolicySection)] = []

  /// The policy of a host that has no file.
  package static let empty = PolicyFile("", named: "")

  package init(_ bytes: [UInt8], named name: String) {
    self.name = name
    do throws(TOMLError) {
      read(try TOMLTable(parsing: bytes))
    } catch {
      problems = [PolicyProblem(file: name, error)]
      vms = Self.names(under: "vm", of: bytes).map { ($0, PolicySection()) }
    }
    problems.sort { $0.line < $1.line }
  }

  package init(_ text: String, named name: String) { self.init(Array(text.utf8), named: name) }

  /// The names of the sections of one kind in a text that is not TOML.
  private static func names(under kind: String, of bytes: [UInt8]) -> [String] {
    var known: Set<String> = []
    return TOMLReader.headers(in: bytes).filter { $0.count > 1 && $0[0] == kind }.map { $0[1] }
      .filter { known.insert($0).inserted }
  }

  private mutating func read(_ document: TOMLTable) {
    var reader = PolicyReader(file: name)
    for member in document.members.sorted(by: { $0.name < $1.name }) {
      switch (member.name, member.value.content) {
      case ("defaults", .table(let keys)): defaults = reader.section(keys, .defaults)
      case ("profile", .table(let tables)):
        for (name, keys) in reader.tables(tables, of: "profile") {
          written[name] = reader.section(keys, .profile(name))
        }
      case ("vm", .table(let tables)):
        for (name, keys) in reader.tables(tables, of: "vm") {
          vms.append((name, reader.section(keys, .vm(name))))
        }
      default: reader.objectToSection(member)
      }
    }
    let names = BuiltInProfile.all.map(\.name) + ownProfiles
    reader.checkProfile(of: defaults, .defaults, among: names)
    for vm in vms { reader.checkProfile(of: vm.section, .vm(vm.name), among: names) }
    problems = reader.problems
  }
}

extension PolicyFile {
  /// Whether a section of the file is for the domain.
  package func names(_ domain: Domain) -> Bool { !sections(for: domain).isEmpty }

  /// What the file and the domain's own metadata say, the later one of these before the earlier:
  /// `[defaults]`, the profile that it names, sections whose globs fit, sections with the VM's own
  /// name or id, metadata.
  package func policy(for domain: Domain) throws(PolicyError) -> DomainPolicy {
    let vms = sections(for: domain)
    let layers =
      [(PolicyScope.defaults, defaults)] + vms.map { (PolicyScope.vm($0.name), $0.section) }
    let profiles = layers.compactMap(\.1.profile?.name)
    let scopes: [PolicyScope] = [.file] + layers.map(\.0) + profiles.map { .profile($0) }
    let relevant = problems.filter { scopes.contains($0.scope) }
    if !relevant.isEmpty { throw PolicyError(problems: relevant, isNamed: !vms.isEmpty) }

    var policy = Policy()
    for (scope, section) in layers {
      let profile = section.profile.flatMap { self.section(ofProfile: $0.name) }
      // A VM's profile stands behind what the VM's section itself says, that of the defaults
      // before the defaults: it is the more deliberate choice.
      let parts = scope == .defaults ? [section, profile] : [profile, section]
      for part in parts { part?.apply(to: &policy) }
    }
    var warnings = DomainMetadata.apply(domain.metadata, to: &policy)
    if let problem = problems.first {
      warnings.append("the policy file has an error that does not concern this VM: \(problem)")
    }
    return DomainPolicy(value: policy, warnings: warnings)
  }

  /// The names of the file's own profiles.
  var ownProfiles: [String] { written.keys.sorted() }

  /// The keys of a profile: those that every host's has, then those that the file adds.
  func section(ofProfile name: String) -> PolicySection? {
    guard var section = BuiltInProfile.named(name)?.section else { return written[name] }
    for (key, value) in written[name]?.values ?? [] { section.append(key, value) }
    return section
  }

  /// The sections for a domain: those whose glob fits before those that name it.
  private func sections(for domain: Domain) -> [(name: String, section: PolicySection)] {
    let fitting = vms.map { ($0, Glob.fit(of: $0.name, to: domain)) }
    return fitting.filter { $0.1 == .pattern }.map(\.0)
      + fitting.filter { $0.1 == .identity }.map(\.0)
  }
}
