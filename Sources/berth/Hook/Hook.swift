internal import Bytes
internal import Formats
internal import Glibc
internal import HostModel
internal import Ledger
internal import Lifecycle
internal import Live
internal import State
internal import Tunings

/// Answers a hypervisor: never with output, and with a failure only where that refuses a start.
enum Hook {
  /// The exit status for one call.
  ///
  /// libvirt kills a running domain for a status other than 0 after `started` and `reconnect`, so
  /// every phase but the first two ends with 0 whatever happened; what happened is in the journal.
  static func answer(_ call: HookCall) -> Int32 {
    // The same file runs for the sessions of users, whose domains are none of ours.
    guard geteuid() == 0 else { return 0 }
    switch call {
    case .libvirt(let name, let operation):
      return answer(Phase(libvirtOperation: operation), of: name, under: .libvirt) {
        libvirt(name, $0)
      }
    case .proxmox(let vmid, let phase):
      return answer(Phase(proxmoxPhase: phase), of: vmid, under: .proxmox) {
        ProxmoxHook(vmid: vmid, phase: $0).run()
      }
    case .unknown: return 0
    }
  }

  private static func answer(
    _ phase: Phase?, of domain: String, under hypervisor: Hypervisor, _ run: (Phase) -> [String]
  ) -> Int32 {
    guard let phase, phase != .stopped else { return 0 }
    contain(phase, of: domain, under: hypervisor)
    let refusals = run(phase)
    guard phase.mayRefuse, !refusals.isEmpty else { return 0 }
    Terminal.complain(refusals.joined(separator: "; "))
    return 1
  }

  /// Why the domain that libvirt hands over may not start; empty where it may.
  private static func libvirt(_ name: String, _ phase: Phase) -> [String] {
    let domain: Domain
    do {
      domain = try DomainFile.readStandardInput()
    } catch {
      Journal().note(.error, "\(error)", domain: name, phase: phase.rawValue)
      guard phase == .release else { return ["\(error)"] }
      return release(name)
    }
    guard let id = domain.id else { return [] }
    let host = Host.live(for: domain.name)
    do {
      let policy = try policy(for: domain, in: phase, on: host)
      let request = Request(domain: domain, phase: phase, policy: policy.value)
      return play(
        request, by: HolderID(hypervisor: .libvirt, id: id), warnings: policy.warnings, on: host)
    } catch {
      host.journal.note(.error, "\(error)", domain: domain.name, phase: phase.rawValue)
      return refusals(for: error)
    }
  }

  /// Gives back what a domain holds of which nothing is known but its name.
  ///
  /// What it took has to go back, whatever became of its XML; libvirt has no two domains of one name.
  private static func release(_ name: String) -> [String] {
    let host = Host.live(for: name)
    do {
      for holder in try host.store.loadHead().holders
      where holder.id.hypervisor == .libvirt && holder.name.isSame(as: name) {
        let domain = Domain(hypervisor: .libvirt, name: name, id: holder.id.id, vcpus: 0)
        let request = Request(domain: domain, phase: .release, policy: Policy())
        _ = play(request, by: holder.id, warnings: [], on: host)
      }
    } catch {
      host.journal.note(.error, "\(error)", domain: name, phase: Phase.release.rawValue)
    }
    return []
  }

  /// Plays a phase; why the domain may not start, or nothing.
  static func play(
    _ request: Request, by id: HolderID, warnings: [String], on host: Host
  ) -> [String] {
    let phase = request.phase.name(under: id.hypervisor)
    let (report, error) = host.run(
      phase, request.domain, warnings: warnings, beginWork: Containment.goOnInChild
    ) {
      try $0.play(request, by: id)
    }
    if let refusal = error as? PhaseRefusal { return refusal.reasons }
    return error == nil ? [] : report.failures
  }

  /// What policy says for a domain; nothing at all in `release`, if it cannot be read: what a domain
  /// took has to go back, whatever the policy says by now.
  static func policy(
    for domain: Domain, in phase: Phase, on host: Host
  ) throws -> DomainPolicy {
    do {
      return try host.policy(for: domain)
    } catch {
      guard phase == .release else { throw error }
      host.journal.note(
        .error, "\(error)", domain: domain.name, phase: phase.name(under: domain.hypervisor))
      return DomainPolicy(value: Policy(), warnings: [])
    }
  }

  /// A broken policy keeps only those domains from starting that it names; the others go on as if
  /// Berth were not there.
  static func refusals(for error: any Error) -> [String] {
    guard let error = error as? PolicyError, error.isNamed else { return [] }
    return ["\(error)"]
  }
}
