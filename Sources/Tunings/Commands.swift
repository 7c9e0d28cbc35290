internal import HostModel

/// Runs the administrator's own commands beside a domain, and once the domain has left those that
/// take them back.
///
/// systemd runs them, so that what was begun is undone once, even where the hook is killed or never
/// called again. There is no shell; of the domain they learn by their environment.
struct Commands: Tuning {
  static let name = "commands"
  var goesByPolicyAlone: Bool { true }

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    for command in commands(of: request) {
      needs.programs += [command.value.run, command.value.undo].compactMap(\.first)
    }
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    for command in commands(of: request) {
      let programs = [command.value.run, command.value.undo].compactMap(\.first)
      let wrong = host.programs.first { programs.contains($0.path) && $0.objection != nil }
      if let wrong {
        let sentence = "\(wrong.path) is not run: it \(wrong.objection ?? "")"
        if command.value.isRequired {
          plan.refusals.append(Refusal(sentence))
        } else {
          plan.warnings.append(sentence)
        }
        continue
      }
      plan.changes.append(
        Change(
          .ownService(service(for: command.value, command.index, request)),
          .exactly(.activity(.active)),
          because: "policy wants it run for \(request.domain.name)",
          isRequired: command.value.isRequired))
    }
    return plan
  }

  /// The commands of a phase, with their places in policy.
  private func commands(
    of request: Request
  ) -> [(index: Int, value: Policy.Command)] {
    let moment: Policy.Command.Moment
    switch request.phase {
    case .prepare: moment = .beforeStart
    case .started: moment = .started
    case .reconnect where request.guestBegins: moment = .started
    case .start, .reconnect, .stopped, .release: return []
    }
    return request.policy.beside.commands.enumerated()
      .filter { $0.element.moment == moment }.map { ($0.offset, $0.element) }
  }

  private func service(
    for command: Policy.Command, _ index: Int, _ request: Request
  ) -> OwnService {
    let domain = request.domain
    // What policy says by now may be another command than the one that is to be undone.
    let mark = OwnService.mark(of: command.run + [""] + command.undo)
    var service = OwnService(
      unit: OwnService.unitName(
        "command-\(domain.hypervisor.rawValue)", of: domain.holder.id, "\(index)-\(mark)"),
      title: OwnService.plain(command.run.joined(separator: " ")),
      manner: command.moment == .started ? .begun : .awaited, command: command.run,
      seconds: (command.milliseconds + 999) / 1000)
    service.undo = command.undo.isEmpty ? [] : [command.undo]
    service.environment = [
      "BERTH_DOMAIN=" + OwnService.plain(domain.name),
      "BERTH_ID=" + OwnService.plain(domain.id ?? ""),
    ]
    return service
  }
}
