internal import ArgumentParser
internal import HostIO
internal import HostModel
internal import Tunings

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Play one step of a domain's life by hand, as the hook would.",
    discussion: """
      Steps are prepare, start, started, reconnect, stopped and release.

      EXAMPLES
        berth replay win10 prepare --dry-run
        berth replay win10 prepare --xml win10.xml --root recorded-host/
        berth replay win10 release
      """)

  @Argument(help: "The domain's name.")
  var domain: String

  @Argument(help: "The step: prepare, start, started, reconnect, stopped or release.")
  var phase: String

  @Flag(help: "Show what would be changed, and change nothing.")
  var dryRun = false

  @OptionGroup var source: DomainOptions
  @OptionGroup var options: HostOptions

  func run() throws {
    guard let phase = Phase(rawValue: phase) ?? Phase(proxmoxPhase: phase) else {
      let known = Phase.allCases.map(\.rawValue).joined(separator: ", ")
      throw Complaint("“\(self.phase)” is no step of a domain's life; the steps are \(known)")
    }
    let host = try options.host
    let domain = try source.domain(named: domain, on: host)
    let policy = try host.policy(for: domain)
    let request = Request(domain: domain, phase: phase, policy: policy.value)
    guard !dryRun else { return try show(request, policy.warnings, on: host) }
    try host.report(
      phase.name(under: domain.hypervisor), domain, options, warnings: policy.warnings
    ) { lifecycle in
      try lifecycle.play(request, by: domain.holder)
    }
  }

  private func show(_ request: Request, _ warnings: [String], on host: Host) throws {
    let lifecycle = host.lifecycle()
    let ledger = try host.store.load()
    let (id, domain) = (request.domain.holder, request.domain)
    let request = try lifecycle.settled(request, for: id)
    var plan = try lifecycle.plan(request, for: id, beside: ledger)
    plan.warnings += warnings
    let report = PlanReport(
      domain: request.domain.name, id: request.domain.id,
      phases: [
        PlanReport.PhasePlan(
          plan, lifecycle.preview(plan, for: id, beside: ledger), under: domain.hypervisor)
      ])
    try options.print(report, lines: report.lines)
    if !plan.refusals.isEmpty { throw ExitCode(1) }
  }
}
