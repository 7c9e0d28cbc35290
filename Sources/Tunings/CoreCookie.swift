internal import HostModel

/// Keeps threads of others from running on a core at the same time as those of a domain's QEMU,
/// where policy asks for it.
///
/// By core scheduling: threads with one cookie share a core with each other only, and a sibling that
/// has none of them to run stays idle (Documentation/admin-guide/hw-vuln/core-scheduling.rst). A
/// domain that has whole cores to itself gains nothing by it. A cookie that somebody else has made,
/// as libvirt does with `sched_core` in qemu.conf, is left alone.
struct CoreCookie: Tuning {
  static let name = "core-cookie"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.policy.hasCoreCookie, isAfterStart(request.phase) else { return needs }
    needs.process = true
    needs.coreCookie = true
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.policy.hasCoreCookie, isAfterStart(request.phase), let process = host.process
    else { return plan }
    let name = request.domain.name
    switch process.cookie {
    case .none:
      plan.changes.append(
        Change(
          .coreCookie(process.identity), .exactly(.text("own")),
          because: "policy keeps other threads off cores beside \(name)"))
    case .own: break
    // Said once, and not with each restart of libvirt's daemon.
    case .mixed where request.phase == .started:
      plan.warnings.append(
        "some threads of \(name) have a core-scheduling cookie already, so that none is made; "
          + "sched_core in /etc/libvirt/qemu.conf makes one for vCPUs or QEMU")
    case .unavailable(let reason) where request.phase == .started:
      plan.warnings.append("\(name) shares its cores with foreign threads: \(reason)")
    case .mixed, .unavailable: break
    }
    return plan
  }
}
