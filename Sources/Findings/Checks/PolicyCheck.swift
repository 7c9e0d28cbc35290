internal import HostModel

/// Whether the policy file can be used, and each of its sections is for a VM of this host.
struct PolicyCheck: HostCheck {
  static let name = "policy"

  func findings(on host: ExaminedHost) -> [Finding] {
    host.policyErrors.map { remark in
      Finding(
        .error, remark.sentence, evidence: [Evidence(remark.place, remark.value ?? "in this line")],
        consequence: "the start of each VM that it is for is refused, and others start without it",
        fix: "correct the line, then: berth config check")
    }
      + host.strayPolicySections.map { remark in
        Finding(
          .warning, remark.sentence,
          evidence: [Evidence(remark.place, remark.value ?? "in this line")],
          consequence: "its keys do nothing",
          fix: "name the section after a VM's name, UUID or vmid, or remove it")
      }
  }
}
