internal import ArgumentParser
internal import Formats
internal import HostModel
internal import Lifecycle
internal import Tunings

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Run one phase of a VM's life by hand, as the hook would.",
    discussion: """
      Steps are prepare, start, started, reconnect, stopped and release.

      EXAMPLES
        berth replay win10 prepare --dry-run
        berth replay win10 prepare --libvirt win10.xml --root recorded-host/
        berth replay win10 release
      """)

  @Argument(
    help: "The VM's name or Proxmox vmid.", completion: DomainName.known)
  var domain: String

  @Argument(
    help: "The step: prepare, start, started, reconnect, stopped or release.",
    completion: .list(Phase.allCases.map(\.rawValue)))
  var phase: String

  @Flag(help: "Show what would be changed, and change nothing.")
  var dryRun = false

  @OptionGroup var source: DomainOptions
  @OptionGroup var options: HostOptions

  func run() throws {
    guard let phase = Phase(rawValue: phase) ?? Phase(proxmoxPhase: phase) else {
      let known = Phase.allCases.map(\.rawValue).joined(separator: ", ")
      throw Complaint("“\(self.phase)” is not a phase of a VM's life; the phases are \(known)")
    }
    let host = try options.host
    let domain = try subject(of: phase, on: host)
    let policy = try host.policy(for: domain)
    let request = Request(domain: domain, phase: phase, policy: policy.value)
    guard !dryRun else { return try show(request, policy.warnings, on: host) }
    try host.report(
      phase.name(under: domain.hypervisor), domain, options, warnings: policy.warnings
    ) { lifecycle in
      try lifecycle.play(request, by: domain.holder)
    }
  }

  /// The domain as the hook would see it: what waits in `[PENDING]` is in its configuration by the time of its
  /// start, and what it took goes back even if that is gone.
  private func subject(of phase: Phase, on host: Host) throws -> Domain {
    do {
      return try source.domain(named: domain, on: host, atNextStart: phase.mayRefuse)
    } catch {
      guard phase == .release, !source.isGiven else { throw error }
      if let holder = try host.holder(named: domain) {
        return Domain(
          hypervisor: holder.id.hypervisor, name: holder.name, id: holder.id.id, vcpus: 0)
      }
      guard case .vmid(let vmid) = VMReference(domain) else { throw error }
      return Domain(hypervisor: .proxmox, name: vmid, id: vmid, vcpus: 0)
    }
  }

  private func show(_ request: Request, _ warnings: [String], on host: Host) throws {
    let domain = request.domain
    let ledger = try host.lifecycle().ledgerOfThePresent()
    var report = PlanReport(domain)
    if request.phase == .release {
      let returns = host.previewRelease(of: domain, from: ledger)
      report.append(
        PlanReport.PhasePlan(release: returns, under: domain.hypervisor), mayRefuse: false)
    } else {
      var (plan, previews) = try host.preview(
        request, beside: ledger, anew: request.phase == .prepare)
      plan.warnings += warnings
      report.append(
        PlanReport.PhasePlan(plan, previews, under: domain.hypervisor),
        mayRefuse: request.phase.mayRefuse)
    }
    try options.print(report, lines: report.lines(isVerbose: true, columns: nil))
    if report.isRefused { throw ExitCode(1) }
  }
}
