internal import Glibc
internal import HostIO
internal import HostModel
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
    case .libvirt(let operation):
      guard let phase = Phase(libvirtOperation: operation) else { return 0 }
      return answer(phase)
    case .proxmox, .unknown: return 0
    }
  }

  private static func answer(_ phase: Phase) -> Int32 {
    guard phase != .stopped else { return 0 }
    let refusals = run(phase)
    guard phase.mayRefuse, !refusals.isEmpty else { return 0 }
    Terminal.complain(refusals.joined(separator: "; "))
    return 1
  }

  /// Why the domain may not start; empty where it may.
  private static func run(_ phase: Phase) -> [String] {
    let domain: Domain
    do {
      domain = try DomainFile.readStandardInput()
    } catch {
      Journal().note(.error, "\(error)", domain: nil, phase: phase.rawValue)
      return ["\(error)"]
    }
    guard let id = domain.id else { return [] }
    let host = Host.live(for: domain.name)
    let policy: DomainPolicy
    do {
      policy = try host.policy(for: domain)
    } catch {
      host.journal.note(.error, "\(error)", domain: domain.name, phase: phase.rawValue)
      // What a domain took has to go back, whatever the policy says by now.
      guard phase == .release else { return refusals(for: error) }
      policy = DomainPolicy(value: Policy(), warnings: [])
    }
    let request = Request(domain: domain, phase: phase, policy: policy.value)
    let holder = HolderID(hypervisor: .libvirt, id: id)
    let (report, error) = host.run(phase.rawValue, domain, warnings: policy.warnings) {
      try $0.play(request, by: holder)
    }
    if let refusal = error as? PhaseRefusal { return refusal.reasons }
    return error == nil ? [] : report.failures
  }

  /// A broken policy keeps only those domains from starting that it names; the others go on as if
  /// Berth were not there.
  private static func refusals(for error: any Error) -> [String] {
    guard let error = error as? PolicyError, error.isNamed else { return [] }
    return ["\(error)"]
  }
}
