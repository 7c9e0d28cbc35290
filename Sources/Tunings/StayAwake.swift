internal import Bytes
internal import HostModel

/// Keeps the host from sleeping while a domain runs.
///
/// logind lets nobody sleep for as long as somebody holds a descriptor of its (`Inhibit` of
/// org.freedesktop.login1.Manager), which a hook is too short-lived for: a service that ends with
/// the domain's scope does.
struct StayAwake: Tuning {
  static let name = "stay-awake"

  private static let inhibit = "/usr/bin/systemd-inhibit"
  private static let sleep = "/usr/bin/sleep"
  private static let logind = "systemd-logind.service"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard isWanted(by: request) else { return needs }
    needs.process = true
    needs.services = [Self.logind]
    needs.programs = [Self.inhibit, Self.sleep]
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard isWanted(by: request) else { return plan }
    if let reason = obstacle(on: host) {
      plan.warnings.append("the host may fall asleep under \(request.domain.name): \(reason)")
      return plan
    }
    guard let scope = host.process?.scope?.fields(at: "/").last else { return plan }
    let name = OwnService.plain(request.domain.name)
    var service = OwnService(
      unit: OwnService.unitName(
        "awake-\(request.domain.hypervisor.rawValue)", of: request.domain.holder.id,
        OwnService.mark(of: [String(scope)])),
      title: "sleep of the host held off", manner: .alongside,
      command: [
        Self.inhibit, "--what=sleep:idle", "--who=berth", "--why=\(name) runs", "--mode=block",
        Self.sleep, "infinity",
      ])
    service.boundTo = String(scope)
    plan.changes.append(
      Change(
        .ownService(service), .exactly(.activity(.active)),
        because: "\(request.domain.name) would sleep with the host"))
    return plan
  }

  private func isWanted(by request: Request) -> Bool {
    request.policy.beside.staysAwake && [.started, .reconnect].contains(request.phase)
  }

  private func obstacle(on host: HostFacts) -> String? {
    for path in [Self.inhibit, Self.sleep] {
      if let program = host.programs.first(where: { $0.path == path }), let why = program.objection
      {
        return "\(path) \(why)"
      }
    }
    if let logind = host.services.first(where: { $0.asked == Self.logind }), !logind.isActive {
      return logind.problem ?? "systemd-logind does not run"
    }
    return host.process?.scope == nil ? "it runs in no scope of its own" : nil
  }
}
