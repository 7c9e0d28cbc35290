internal import HostModel

/// Makes the virtual functions that policy names, and tells the driver of their physical one what
/// they are to be: VLAN, MAC address, trust, spoof check.
///
/// Their number can only go from none to some and back, all of them at once, so that the first
/// domain decides, others have to do with it, and the number goes back with the last. What a function
/// is to be is the domain's alone. It is set once the function has the driver that the domain needs,
/// as the host's own driver may choose an address by itself.
struct VirtualFunctions: Tuning {
  static let name = "virtual-functions"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.phase == .prepare else { return needs }
    needs.physicalFunctions = request.policy.sriov.numbers.map(\.physical)
    needs.virtualFunctions = request.policy.sriov.functions.map(\.name)
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare else { return plan }
    for number in request.policy.sriov.numbers { count(number, request, host, &plan) }
    // What they are to be, and whose, can be told only once they are there.
    if Self.isAboutToMakeSome(for: request, on: host) { plan.preliminaries = plan.changes }
    for function in request.policy.sriov.functions { tell(function, request, host, &plan) }
    return plan
  }

  /// Whether functions that are not there yet may be once the plan is carried out.
  static func isAboutToMakeSome(for request: Request, on host: HostFacts) -> Bool {
    request.phase == .prepare
      && request.policy.sriov.numbers.contains { number in
        host.physicalFunctions.contains { $0.asked == number.physical && $0.count < number.count }
      }
  }

  private func count(
    _ number: Policy.SRIOV.Number, _ request: Request, _ host: HostFacts, _ plan: inout Plan
  ) {
    let name = number.physical
    guard let function = host.physicalFunctions.first(where: { $0.asked == name }) else {
      object("of \(name), which is no function that virtual ones can be made from", request, &plan)
      return
    }
    guard number.count <= function.total else {
      object("of \(name), which can have \(function.total) at most", request, &plan)
      return
    }
    guard function.count == 0 || function.count >= number.count || function.uses.isEmpty else {
      object(
        "of \(name), which has \(function.count), and to have \(number.count) it would lose them "
          + "first: \(function.uses.joined(separator: ", "))", request, &plan)
      return
    }
    plan.changes.append(
      Change(
        .virtualFunctions(of: function.address), .atLeast(number.count),
        because: "\(request.domain.name) wants \(number.count)",
        isRequired: request.policy.pci.requiresFunctions))
  }

  private func tell(
    _ wish: Policy.SRIOV.Function, _ request: Request, _ host: HostFacts, _ plan: inout Plan
  ) {
    guard let facts = host.virtualFunctions.first(where: { $0.asked == wish.name }) else {
      if plan.preliminaries.isEmpty {
        object("\(wish.name), which this host does not have", request, &plan)
      } else {
        plan.warnings.append("\(wish.name) is configured once it exists")
      }
      return
    }
    for wish in wish.wishes {
      plan.changes.append(
        Change(
          .virtualFunction(facts.function, wish.attribute), .alone(.text(wish.text)),
          because: "policy sets it while \(request.domain.name) is active",
          isRequired: request.policy.pci.requiresFunctions))
    }
  }

  private func object(_ rest: String, _ request: Request, _ plan: inout Plan) {
    let sentence = "\(request.domain.name) wants virtual functions \(rest)"
    if request.policy.pci.requiresFunctions {
      plan.refusals.append(Refusal(sentence))
    } else {
      plan.warnings.append(sentence)
    }
  }
}
