internal import HostModel
internal import Ledger
internal import Lifecycle
internal import Tunings

extension Host {
  /// What one phase of a domain's life would do, made by the planner of the hook and carried out by
  /// nobody.
  func preview(
    _ request: Request, beside ledger: Ledger
  ) throws -> (plan: Plan, changes: [PreviewedChange]) {
    let lifecycle = lifecycle()
    let id = request.domain.holder
    let deadline = deadline(milliseconds: Self.patience)
    let request = try lifecycle.settled(request, for: id, beside: ledger, until: deadline)
    let plan = try lifecycle.plan(request, for: id, beside: ledger, until: deadline)
    return (plan, lifecycle.preview(plan, for: id, beside: ledger, until: deadline))
  }

  /// What a domain gives back in the end: what it holds now, and what it would be given until then.
  func previewRelease(
    of domain: Domain, after changes: [PreviewedChange], from ledger: Ledger
  ) -> [PreviewedReturn] {
    let held = lifecycle().previewRelease(
      of: domain.holder, from: ledger, until: deadline(milliseconds: Self.patience))
    var known = Set(held.map(\.setting))
    let coming = changes.compactMap(\.returned).filter {
      known.insert($0.setting).inserted
    }
    return coming.reversed() + held
  }
}
