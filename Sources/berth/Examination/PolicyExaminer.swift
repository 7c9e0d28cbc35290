internal import Bytes
internal import Formats
internal import HostModel
internal import Ledger
internal import Port
internal import Tunings

/// What is legal in a policy file and comes to nothing on a host.
struct PolicyExaminer {
  let host: Host
  let file: PolicyFile

  func warnings() throws -> [PolicyProblem] {
    let isProxmox = host.kernel.exists("/etc/pve")
    var found = file.cautions(on: isProxmox ? .proxmox : .libvirt)
    guard file.problems.isEmpty else { return found }
    found += try strays()
    for section in file.sectionPolicies {
      found += section.contradictions
      if section.policy.isEnabled {
        found += try idle(in: section, under: isProxmox ? .proxmox : .libvirt)
      }
    }
    return found
  }

  /// Sections for no VM; nothing where a configuration cannot be read, which may be the one.
  private func strays() throws -> [PolicyProblem] {
    let domains = try DomainConfiguration.all(on: host).map { try? $0.domain() }
    if domains.contains(where: { $0 == nil }) { return [] }
    return file.strays(among: domains.compactMap(\.self)).map(\.problem)
  }

  /// What the hook would warn of for any VM of the section: asked of its own planner, for one with a vCPU on
  /// the first CPU.
  private func idle(
    in section: SectionPolicy, under hypervisor: Hypervisor
  ) throws -> [PolicyProblem] {
    guard let place = section.places.values.min(by: { $0.line < $1.line }) else { return [] }
    var domain = Domain(hypervisor: hypervisor, name: "a VM", id: nil, vcpus: 1)
    domain.vcpuPins = [0: [0]]
    var sentences: [String] = []
    for phase in [Phase.prepare, .started] {
      var request = Request(domain: domain, phase: phase, policy: section.policy)
      request.isOfPolicyAlone = true
      let (plan, changes) = try host.preview(request, beside: Ledger(), anew: true)
      sentences += plan.warnings + changes.compactMap(\.objection)
    }
    var known: Set<String> = []
    return sentences.filter { known.insert($0).inserted }.map {
      PolicyProblem(
        file: place.file, line: place.line, column: nil, sentence: "\(section.header): \($0)",
        scope: .file)
    }
  }
}
