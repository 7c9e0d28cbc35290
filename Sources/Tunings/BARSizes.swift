internal import HostModel

/// Gives BARs of a domain's functions the sizes that policy names, for as long as the domain is in.
///
/// Only of functions that Berth binds, and once they are bound: the host's own driver would have to
/// start anew for it, and what a hypervisor binds by itself it binds after the hook.
struct BARSizes: Tuning {
  static let name = "bar-sizes"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    if request.phase == .prepare { needs.bars = request.policy.pci.barSizes.map(\.bar) }
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare else { return plan }
    for wish in request.policy.pci.barSizes {
      if let objection = objection(to: wish, request, host) {
        plan.warnings.append("\(wish.bar) keeps its size: \(objection)")
      } else {
        plan.changes.append(
          Change(
            .barSize(wish.bar), .exactly(.count(wish.mebibytes)),
            because: "policy sets it while \(request.domain.name) is active"))
      }
    }
    return plan
  }

  private func objection(
    to wish: Policy.BARWish, _ request: Request, _ host: HostFacts
  ) -> String? {
    guard let facts = host.bars.first(where: { $0.bar == wish.bar }) else {
      return "this host has none such"
    }
    guard PCIBinding().binds(wish.bar.function, for: request) else {
      return "it is not Berth that binds the function; name it under pci.bind"
    }
    guard !facts.offeredMebibytes.isEmpty else { return "it has one size for ever" }
    guard facts.offeredMebibytes.contains(wish.mebibytes) else {
      let sizes = facts.offeredMebibytes.map { "\(PageSize(kiB: $0 << 10))" }
      return "it offers \(sizes.joined(separator: ", "))"
    }
    return nil
  }
}
