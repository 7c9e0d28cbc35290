internal import Bytes
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

  private(set) var defaults = PolicySection()
  private var written: [ExactText: PolicySection] = [:]
  /// The sections of VMs in the order of the file.
  private(set) var vms: [VMSection] = []
  /// What holds for all VMs together, in a policy that says nothing else.
  private(set) var base = Policy()
  /// The same as it is written.
  private(set) var general = PolicySection()

  /// The policy of a host that has no file.
  package static let empty = PolicyFile("", named: "")

  package init(_ bytes: [UInt8], named name: String) { self.init([(bytes, name)]) }

  /// The policy of several files, of which the later ones count before the earlier, key by key.
  package init(_ files: [(bytes: [UInt8], name: String)]) {
    name = files.first?.name ?? ""
    var sections: [NamedSection] = []
    for (bytes, name) in files {
      do throws(TOMLError) {
        sections += read(try TOMLTable(parsing: bytes), named: name)
      } catch {
        problems.append(PolicyProblem(file: name, error))
        vms += Self.names(under: "vm", of: bytes).map { VMSection($0, line: nil, PolicySection()) }
      }
    }
    // A profile may stand in another file than the section that names it.
    let profiles = BuiltInProfile.all.map(\.name) + ownProfiles
    for section in sections {
      var reader = PolicyReader(file: section.file)
      reader.checkProfile(of: section.keys, section.scope, among: profiles)
      problems += reader.problems
    }
    let order = files.map(\.name)
    func place(_ problem: PolicyProblem) -> (Int, Int) {
      (order.firstIndex(of: problem.file) ?? 0, problem.line)
    }
    problems.sort { place($0) < place($1) }
  }

  /// A section with the file that it is in.
  private typealias NamedSection = (file: String, keys: PolicySection, scope: PolicyScope)

  package init(_ text: String, named name: String) { self.init(Array(text.utf8), named: name) }

  /// The names of the sections of one kind in a text that is not TOML.
  private static func names(under kind: String, of bytes: [UInt8]) -> [String] {
    var known: Set<ExactText> = []
    return TOMLReader.headers(in: bytes).filter { $0.count > 1 && $0[0] == kind }.map { $0[1] }
      .filter { known.insert(ExactText($0)).inserted }
  }

  /// Adds what a file says; the sections that may name a profile.
  private mutating func read(_ document: TOMLTable, named file: String) -> [NamedSection] {
    var reader = PolicyReader(file: file)
    var sections: [NamedSection] = []
    for member in document.members.sorted(by: { $0.name < $1.name }) {
      switch (member.name, member.value.content) {
      case ("defaults", .table(let keys)):
        let section = reader.section(keys, .defaults)
        sections.append((file, section, .defaults))
        defaults.append(section)
      case ("profile", .table(let tables)):
        for (name, _, keys) in reader.tables(tables, of: "profile") {
          let section = reader.section(keys, .profile(ExactText(name)))
          written[ExactText(name), default: PolicySection()].append(section)
        }
      case ("vm", .table(let tables)):
        for (name, line, keys) in reader.tables(tables, of: "vm") {
          let section = reader.section(keys, .vm(ExactText(name)))
          sections.append((file, section, .vm(ExactText(name))))
          vms.append(VMSection(name, line: line, in: file, section))
        }
      case (let table, .table(let keys)) where PolicyKey.tables.contains(table):
        let section = reader.section(keys, .file, named: table)
        section.apply(to: &base)
        general.append(section)
      default: reader.objectToSection(member)
      }
    }
    problems += reader.problems
    return sections
  }
}

extension PolicyFile {
  /// What no VM gets, whatever is said of it elsewhere.
  package var limits: Policy.Limits { base.limits }

  /// Whether a section of the file is for the domain.
  package func names(_ domain: Domain) -> Bool { !sections(for: domain).isEmpty }

  /// The headers of the sections that are for a domain, the weaker before the stronger.
  package func headers(for domain: Domain) -> [String] {
    sections(for: domain).map(\.title)
  }

  /// The profile that counts before all others for a domain; nil for none.
  package func profile(for domain: Domain) -> String? {
    sections(for: domain).compactMap(\.keys.profile).last?.name ?? defaults.profile?.name
  }

  /// The sections that are for none of a host's domains, with their headers.
  package func strays(among domains: [Domain]) -> [(header: String, problem: PolicyProblem)] {
    vms.compactMap { section in
      let isUsed = domains.contains {
        section.fit($0, countingNames: base.countsProxmoxNames) != nil
      }
      guard !isUsed, let line = section.line else { return nil }
      return (
        section.title,
        PolicyProblem(
          file: section.file, line: line, sentence: "\(section.title) is for no VM of this host",
          scope: .vm(ExactText(section.name)))
      )
    }
  }

  /// What the file and the domain's own metadata say, the later one of these before the earlier:
  /// `[defaults]`, the profile that it names, sections whose globs fit, sections with the VM's own
  /// name, those with its id; of metadata, what `[limits]` lets it say.
  package func policy(for domain: Domain) throws(PolicyError) -> DomainPolicy {
    let vms = sections(for: domain)
    let profiles = ([defaults] + vms.map(\.keys)).compactMap(\.profile?.name)
    let scopes =
      [.file, .defaults] + vms.map { PolicyScope.vm(ExactText($0.name)) }
      + profiles.map { PolicyScope.profile(ExactText($0)) }
    let relevant = problems.filter { scopes.contains($0.scope) }
    if !relevant.isEmpty { throw PolicyError(problems: relevant, isNamed: !vms.isEmpty) }

    var policy = base
    var said: [String: PolicyValue] = [:]
    for (part, _) in parts(for: vms) {
      part.apply(to: &policy)
      // Asked for by metadata alone, which few domains have.
      guard !domain.metadata.isEmpty else { continue }
      for (key, value, _) in part.values { said[key.path] = value }
    }
    var taken: [String: PolicyValue] = [:]
    var warnings = DomainMetadata.apply(
      domain.metadata, to: &policy, besides: said, taking: &taken)
    warnings += policy.keepPinsWithinLimits()
    warnings += strangers(to: domain)
    if let problem = problems.first {
      warnings.append("the policy file has an error that does not concern this VM: \(problem)")
    }
    var found = DomainPolicy(value: policy, warnings: warnings)
    found.metadata = taken
    return found
  }

  /// A section, and for a profile what names it.
  typealias Part = (section: PolicySection, profile: PolicySection.ProfileName?)

  /// What is said for the VM of some sections, the weaker before the stronger.
  func parts(for vms: [VMSection]) -> [Part] {
    func profile(of section: PolicySection) -> [Part] {
      guard let name = section.profile, let profile = self.section(ofProfile: name.name) else {
        return []
      }
      return [(profile, name)]
    }
    // A VM's profile stands behind what the VM's section itself says, that of the defaults
    // before the defaults: it is the more deliberate choice.
    return [(defaults, nil)] + profile(of: defaults)
      + vms.flatMap { profile(of: $0.keys) + [($0.keys, nil)] }
  }

  /// The names of the file's own profiles.
  var ownProfiles: [String] { written.keys.sorted().map(\.text) }

  /// The keys of a profile: those that every host's has, then those that the file adds.
  func section(ofProfile name: String) -> PolicySection? {
    let own = written[ExactText(name)]
    guard var section = BuiltInProfile.named(name)?.section else { return own }
    for entry in own?.values ?? [] { section.append(entry) }
    return section
  }

  /// The sections for a domain, the weaker before the stronger, and in the order of the file.
  func sections(for domain: Domain) -> [VMSection] {
    let fitting = vms.map { ($0, $0.fit(domain, countingNames: base.countsProxmoxNames)) }
    return VMSection.Fit.allCases.flatMap { fit in
      fitting.filter { $0.1 == fit }.map(\.0)
    }
  }

  /// What an administrator may have meant for a domain, and is not for it.
  private func strangers(to domain: Domain) -> [String] {
    if vms.isEmpty { return [] }
    let name = VMReference(domain.name)
    return vms.compactMap { section in
      guard section.fit(domain, countingNames: base.countsProxmoxNames) == nil else { return nil }
      if name.isID, section.subject == .one(name) {
        return
          "\(section.header) of the policy file is for the VM with that id, and not for one that "
          + "is called so"
      }
      guard section.fit(domain, countingNames: true) != nil else { return nil }
      return
        "\(section.header) of the policy file does not count: on Proxmox a name does only with "
        + "names = true under [proxmox], as whoever may rename a VM would choose its policy; write "
        + "[vm.\"\(domain.id ?? "VMID")\"]"
    }
  }
}
