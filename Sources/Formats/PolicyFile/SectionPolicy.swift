package import HostModel

/// What a section comes to for a VM that no other section is for, and which keys it names itself.
package struct SectionPolicy: Sendable {
  /// The section's header, such as `[vm."win10"]`.
  package var header: String
  package var policy: Policy
  /// Where each of the section's own keys stands.
  package var places: [String: PolicyPlace]
}

extension PolicyFile {
  /// The sections that are for VMs, `[defaults]` first where it says something.
  package var sectionPolicies: [SectionPolicy] {
    let general = SectionPolicy("[defaults]", defaults, parts(for: []), base)
    return (defaults.values.isEmpty && defaults.profile == nil ? [] : [general])
      + vms.map { SectionPolicy($0.title, $0.keys, parts(for: [$0]), base) }
  }
}

extension SectionPolicy {
  fileprivate init(
    _ header: String, _ section: PolicySection, _ parts: [PolicyFile.Part], _ base: Policy
  ) {
    self.header = header
    policy = base
    for (part, _) in parts { part.apply(to: &policy) }
    places = [:]
    for (key, _, place) in section.values { places[key.path] = place }
    places["profile"] = section.profile?.place
  }
}
