internal import Bytes
internal import HostModel

/// Stops domains that cannot run beside this one, and has them started again when it has left.
///
/// A hook must not call its hypervisor: libvirt waits for the hook with the domain locked, and
/// Proxmox does with its configuration. So systemd runs the hypervisor's own tool, the hook only
/// watches the other QEMU go, and nobody waits for the command that starts it again.
struct Companions: Tuning {
  static let name = "companions"

  private static let tail = "/usr/bin/tail"
  /// As long as any start may take: the other domain has a budget of its own, and devices.
  private static let startSeconds = 600
  private static let timeout = "/usr/bin/timeout"

  /// A backup is not worth that somebody else's VM ends.
  func servesGuest(in phase: Phase) -> Bool { true }

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.phase == .prepare, !request.policy.beside.stoppedDomains.isEmpty else {
      return needs
    }
    needs.companions = request.policy.beside.stoppedDomains
    needs.programs = [Self.program(of: request.domain.hypervisor), Self.timeout, Self.tail]
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare else { return plan }
    let (domain, policy) = (request.domain, request.policy.beside)
    for asked in policy.stoppedDomains {
      guard let companion = host.companions.first(where: { $0.asked.isSame(as: asked) })
      else {
        keepStopped(asked, request, host, &plan)
        continue
      }
      guard companion.id.lowercasedASCII != domain.id?.lowercasedASCII else {
        plan.warnings.append("companions.stop names \(domain.name) itself, which is left alone")
        continue
      }
      if let sentence = objection(to: asked, request, host) {
        if policy.requiresStoppedDomains {
          plan.refusals.append(Refusal(sentence))
        } else {
          plan.warnings.append(sentence)
        }
        continue
      }
      let setting = Setting.ownService(service(for: companion, request))
      // It was waited for already.
      if host.claimed.contains(setting) { continue }
      stop(companion, setting, request, &plan)
    }
    return plan
  }

  private func stop(
    _ companion: CompanionFacts, _ setting: Setting, _ request: Request, _ plan: inout Plan
  ) {
    let policy = request.policy.beside
    let reason = "\(request.domain.name) is to run instead of it"
    plan.changes.append(
      Change(
        setting, .exactly(.activity(.active)), because: reason,
        isRequired: policy.requiresStoppedDomains))
    let departure = Departure(
      name: companion.asked, process: companion.process, file: companion.file,
      milliseconds: policy.patience)
    plan.steps.append(
      PlannedStep(
        .awaitEnd(departure), because: reason, isRequired: policy.requiresStoppedDomains))
    // What the other domain holds can be claimed only once it has left.
    plan.comesFirst = true
    plan.isToBeContinued = true
  }

  /// Claims what another domain has asked for: whoever leaves last has it undone.
  private func keepStopped(
    _ asked: String, _ request: Request, _ host: HostFacts, _ plan: inout Plan
  ) {
    let service = host.askedServices.first { service in
      switch VMReference(asked) {
      case .uuid(let id), .vmid(let id): service.command.last?.isSame(as: id) ?? false
      case .name: service.title.isSame(as: Self.title(of: asked))
      }
    }
    guard let service else { return }
    plan.changes.append(
      Change(
        .ownService(service), .exactly(.activity(.active)),
        because: "\(request.domain.name) is to run instead of it"))
  }

  private static func title(of companion: String) -> String {
    OwnService.plain("stop of \(companion)")
  }

  private func objection(
    to companion: String, _ request: Request, _ host: HostFacts
  ) -> String? {
    let wrong = host.programs.first { program in
      needs(for: request).programs.contains(program.path) && program.objection != nil
    }
    return wrong.map { program in
      "\(companion) is not stopped: \(program.path) \(program.objection ?? "")"
    }
  }

  private static func program(of hypervisor: Hypervisor) -> String {
    hypervisor == .proxmox ? "/usr/sbin/qm" : "/usr/bin/virsh"
  }

  /// The service that stops a domain when it starts, and starts it when it stops.
  ///
  /// A domain that is still on its way out cannot be started, so that its end is awaited first.
  private func service(for companion: CompanionFacts, _ request: Request) -> OwnService {
    let hypervisor = request.domain.hypervisor
    let program = Self.program(of: hypervisor)
    let tool = hypervisor == .proxmox ? [program] : [program, "-c", "qemu:///system"]
    let pid = "\(companion.process.pid)"
    let seconds = max(1, request.policy.beside.patience / 1000)
    let mark = OwnService.mark(of: [companion.id, pid, "\(companion.process.startTime)"])
    var service = OwnService(
      unit: OwnService.unitName(
        "companion-\(hypervisor.rawValue)", of: request.domain.holder.id, mark),
      title: Self.title(of: companion.asked), manner: .asked,
      command: tool + ["shutdown", companion.id], seconds: seconds + Self.startSeconds)
    service.undo = [
      [Self.timeout, "\(seconds)", Self.tail, "--pid=\(pid)", "-f", "/dev/null"],
      tool + ["start", companion.id],
    ]
    return service
  }
}
