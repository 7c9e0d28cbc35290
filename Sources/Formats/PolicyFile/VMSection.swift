internal import Bytes
internal import HostModel

/// A section `[vm."…"]`: whom it is for, and what it says.
struct VMSection {
  /// As it stands in the header.
  let name: String
  /// The line of the header; nil in a text that is not TOML.
  let line: Int?
  /// The file that it is in.
  let file: String
  let subject: VMSubject
  let keys: PolicySection

  init(_ name: String, line: Int?, in file: String = "", _ keys: PolicySection) {
    self.name = name
    self.line = line
    self.file = file
    self.keys = keys
    subject = VMSubject(name)
  }

  /// The section's header as it is written.
  var title: String { "[vm.\"\(name)\"]" }

  /// The section's header, for messages.
  var header: String { title + (line.map { " in line \($0)" } ?? "") }

  /// How surely the section is for a domain; nil where it is not, as for a VM of Proxmox's with the
  /// name unless names count there.
  func fit(_ domain: Domain, countingNames: Bool) -> Fit? {
    let counts = domain.hypervisor == .libvirt || countingNames
    switch subject {
    case .one(let reference):
      guard reference.isFor(domain) else { return nil }
      if reference.isID { return .id }
      return counts ? .name : nil
    case .several(let glob):
      // A name may have what is a wildcard elsewhere.
      if counts, glob.isOfNames, glob.text == ExactText(domain.name) { return .name }
      return glob.fit(domain, countingNames: countingNames)
    }
  }

  /// What a section goes by, the weaker before the stronger: an id is its VM's own, and a name is what
  /// whoever may define the VM has chosen.
  enum Fit: CaseIterable {
    case glob
    case name
    case globOfIDs
    case id
  }
}

/// Whom the header of a section names.
enum VMSubject: Hashable {
  case one(VMReference)
  case several(Glob)

  init(_ name: String) {
    if let glob = Glob(name) { self = .several(glob) } else { self = .one(VMReference(name)) }
  }
}
