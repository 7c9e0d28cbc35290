internal import HostModel

/// Takes the functions of a slot off the bus before a domain starts, and has the kernel find them
/// again: for devices that come out of it as after a reset, where nothing milder helps.
///
/// Kernels up to 6.2 were reported to crash over it, and all hold a lock over all of PCI meanwhile:
/// so never by itself, never while anybody has a device of VFIO open, and one slot at a time.
struct SlotRescan: Tuning {
  static let name = "slot-rescan"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    if request.phase == .prepare { needs.slots = request.policy.pci.rescanned }
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare else { return plan }
    for slot in request.policy.pci.rescanned {
      if let reason = objection(to: slot, request, host) {
        plan.warnings.append("slot \(slot) is not rescanned: \(reason)")
      } else {
        plan.cycles.append(
          Change(
            .slot(slot), .alone(.functions([])),
            because: "its functions restart for \(request.domain.name)"))
      }
    }
    return plan
  }

  private func objection(
    to slot: PCISlot, _ request: Request, _ host: HostFacts
  ) -> String? {
    guard let facts = host.slots.first(where: { $0.slot == slot }), !facts.functions.isEmpty else {
      return "there is nothing in it"
    }
    guard facts.canRescan else { return "its bus cannot be looked through again" }
    if facts.functions.contains(where: \.isBridge) {
      return "it holds a bridge, and all behind that would go, too"
    }
    if !host.vfioUsers.isEmpty {
      return
        "\(host.vfioUsers.joined(separator: ", ")) has a device of VFIO open, and removing one "
        + "beside it has crashed kernels"
    }
    for function in facts.functions
    where !function.hostUses.inTheWay.isEmpty && !request.policy.pci.forces(function.address) {
      return "the host uses \(function.address): \(function.hostUses.inTheWay.listed)"
    }
    for function in facts.functions where !function.users.isEmpty {
      if function.isStuckWhileOpen || !request.policy.pci.forces(function.address) {
        return "\(function.openings)"
      }
    }
    return nil
  }
}
