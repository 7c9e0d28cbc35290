internal import ArgumentParser
internal import Formats
internal import HostModel
internal import Ledger
internal import Lifecycle
internal import Tunings

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show what each phase of a VM's life would change on the host, and why.",
    discussion: """
      Nothing is changed. The plan is made by the same code as in the hook, from what the host is \
      now and from the active VMs. Of a VM that holds something already it is the next start, after \
      all that has been given back. Where the start would be refused, the exit status is 1.

      EXAMPLES
        berth plan win10
        berth plan --libvirt win10.xml --json
        berth plan --libvirt win10.xml --root recorded-host/
        berth plan 100
        berth plan --proxmox 100.conf
      """)

  @OptionGroup var named: NamedDomain

  @Flag(name: .shortAndLong, help: "Show each setting, also where many serve one purpose.")
  var verbose = false

  @OptionGroup var options: HostOptions

  func run() throws {
    let host = try options.host
    let domain = try named.domain(on: host)
    let policy = try host.policy(for: domain)
    let ledger = try host.lifecycle().ledgerOfThePresent()
    var report = PlanReport(domain, try host.standing(of: domain, in: ledger))
    var changes: [PreviewedChange] = []
    for phase in [Phase.prepare, .started] {
      let request = Request(domain: domain, phase: phase, policy: policy.value)
      var (plan, previews) = try host.preview(request, beside: ledger, anew: true)
      if phase == .prepare {
        plan.warnings += policy.warnings
      }
      plan.notes += try host.keptOut(by: plan, of: domain, policy: policy.value)
      report.append(
        PlanReport.PhasePlan(plan, previews, under: domain.hypervisor), mayRefuse: phase.mayRefuse)
      changes += previews
    }
    // What both phases change is given back once, to what the first of them found.
    var known: Set<Setting> = []
    let returns = changes.compactMap(\.returned).filter { known.insert($0.setting).inserted }
    report.append(
      PlanReport.PhasePlan(release: returns.reversed(), under: domain.hypervisor), mayRefuse: false)
    try options.print(
      report, lines: report.lines(isVerbose: verbose, columns: LiveView.window?.columns))
    if report.isRefused { throw ExitCode(1) }
  }
}
