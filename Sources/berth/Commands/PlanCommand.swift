internal import ArgumentParser
internal import HostIO
internal import HostModel
internal import Tunings

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what each step of a domain's life would change on the host, and why.",
    discussion: """
      Nothing is changed. The plan is made by the same code as in the hook, from what the host is \
      now and from who is in.

      EXAMPLES
        berth plan win10
        berth plan --xml win10.xml --json
        berth plan --xml win10.xml --root recorded-host/
        berth plan 100
        berth plan --proxmox 100.conf
      """)

  @Argument(help: "The domain's name.")
  var domain: String?

  @OptionGroup var source: DomainOptions
  @OptionGroup var options: HostOptions

  func validate() throws {
    if domain == nil, !source.isGiven {
      throw ValidationError("name a domain, or give --xml or --proxmox")
    }
  }

  func run() throws {
    let host = try options.host
    let domain = try source.domain(named: domain, on: host)
    let policy = try host.policy(for: domain)
    let lifecycle = host.lifecycle()
    let ledger = try host.store.load()
    let id = domain.holder
    var report = PlanReport(domain: domain.name, id: domain.id, phases: [])
    for phase in [Phase.prepare, .started] {
      let request = try lifecycle.settled(
        Request(domain: domain, phase: phase, policy: policy.value), for: id)
      var plan = try lifecycle.plan(request, for: id, beside: ledger)
      if phase == .prepare { plan.warnings += policy.warnings }
      report.phases.append(
        PlanReport.PhasePlan(
          plan, lifecycle.preview(plan, for: id, beside: ledger),
          under: domain.hypervisor))
    }
    try options.print(report, lines: report.lines)
  }
}
