internal import HostModel

/// Tells what Proxmox makes of a configuration before Berth is asked, and what it will refuse by itself
/// right after.
///
/// A start that Proxmox or its QEMU would end is refused here, before anything is taken for it: of a start that
/// fails later no hook is told.
struct ProxmoxStart: Tuning {
  static let name = "proxmox-start"

  func needs(for request: Request) -> FactNeeds { FactNeeds() }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare, let proxmox = request.domain.proxmox else { return plan }
    let name = request.domain.name
    for refusal in proxmox.refusals {
      let sentence = "\(refusal.speaker.rawValue) does not start \(name): “\(refusal.words)”"
      if refusal.mayPass, mayBringDevices(request) {
        plan.warnings.append("\(sentence), unless it is there by then")
      } else {
        plan.refusals.append(Refusal(sentence, fix: refusal.fix))
      }
    }
    if request.guestWaits {
      plan.notes.append(
        "\(name) is being backed up: pins and isolation follow when its guest runs, and no other VM is "
          + "stopped for it")
    }
    if !proxmox.pending.isEmpty {
      let keys = proxmox.pending.joined(separator: ", ")
      plan.notes.append("this plan includes [PENDING], as the next start does: \(keys)")
    }
    if !proxmox.waiting.isEmpty {
      let keys = proxmox.waiting.joined(separator: ", ")
      plan.notes.append(
        "\(name) is hibernated and resumes with its old configuration: [PENDING] does not apply "
          + "(\(keys))")
    }
    return plan
  }

  /// Whether policy does something before the start by which functions come.
  private func mayBringDevices(_ request: Request) -> Bool {
    let policy = request.policy
    return !policy.sriov.numbers.isEmpty || !policy.pci.rescanned.isEmpty
      || policy.beside.commands.contains { $0.moment == .beforeStart }
  }
}
