internal import Bytes
internal import HostModel

/// Stops units of the host before the start, such as the one that has the graphics card.
///
/// Only units that were active are started again, so that only what can be brought back exactly is
/// stopped: no unit that takes others with it, or that is gone once it has stopped.
struct StoppedServices: Tuning {
  static let name = "services"
  var goesByPolicyAlone: Bool { true }

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.phase == .prepare else { return needs }
    needs.services = request.policy.beside.stoppedServices
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare else { return plan }
    let names = request.policy.beside.stoppedServices
    let named = host.services.filter { names.contains($0.asked) }.compactMap(\.unit)
    for name in names {
      guard let facts = host.services.first(where: { $0.asked == name }) else { continue }
      guard let unit = facts.unit else {
        plan.warnings.append("\(name) is not stopped: \(facts.problem ?? "there is no such unit")")
        continue
      }
      if let reason = Self.objection(to: facts, unit, beside: named, host) {
        plan.warnings.append("\(name) is not stopped: \(reason)")
        continue
      }
      // One that is inactive may be so for another domain, which must not bring it back too early.
      plan.changes.append(
        Change(
          .service(unit: unit), .exactly(.activity(.inactive)),
          because: "policy stops it while \(request.domain.name) is active"))
    }
    return plan
  }

  private static func objection(
    to facts: ServiceFacts, _ unit: String, beside named: [String], _ host: HostFacts
  ) -> String? {
    for name in [facts.asked, unit] {
      if let reason = rule(about: name, host) { return reason }
    }
    guard facts.isActive else { return nil }
    if facts.isTransient { return "it would be gone for good, as it has no unit file" }
    guard facts.canStop, facts.canStart else {
      return "systemd does not let it be stopped and started"
    }
    for dependent in facts.dependents where !named.contains(dependent) {
      if let reason = rule(about: dependent, host) {
        return "it takes \(dependent) with it: \(reason)"
      }
      return "\(dependent) would be stopped with it and not come back; name that one, too"
    }
    return nil
  }

  /// Units that no domain may stop, by how their names begin, with the reason.
  private static let rules: [(prefix: String, reason: String)] = [
    ("libvirt", "the hypervisor needs it"),
    ("virt", "the hypervisor needs it"),
    ("pve", "the hypervisor needs it"),
    ("qm", "the hypervisor needs it"),
    ("qemu", "the hypervisor needs it"),
    ("spiceproxy", "the hypervisor needs it"),
    ("corosync", "the hypervisor's cluster needs it"),
    ("machine", "VMs run in it"),
    ("dbus", "everything that talks to systemd needs it"),
    ("systemd-", "the host itself needs it"),
    ("init", "the host itself needs it"),
    ("user@", "people's sessions run in it"),
    ("berth-", "it is Berth's own"),
  ]

  private static func rule(about unit: String, _ host: HostFacts) -> String? {
    if host.ownUnits.contains(unit) { return "Berth itself runs in it" }
    return rules.first { unit.begins(with: $0.prefix) }?.reason
  }
}
