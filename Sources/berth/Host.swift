internal import HostModel
internal import Ledger
internal import Lifecycle
internal import Live
internal import Port
internal import Recorded
internal import State

/// The host that a call works on, with all that belongs to it.
struct Host {
  let kernel: any Kernel
  let systemd: any Systemd
  /// Where guards stand by; a recorded host has none.
  let units: (any TransientUnits)?
  /// Who asks running QEMUs; on a recorded host nobody answers.
  let monitor: (any QEMUMonitor)?
  /// What changes Proxmox's configurations.
  let proxmox: any ProxmoxTool
  let store: LedgerFile
  let journal: Journal
  /// Where what went wrong can be read; a recorded host does not have it.
  let records: JournalReader?
  /// `/` of the host, for the files that are the administrator's.
  let root: String

  /// The host that Berth runs on.
  static func live(for user: String = "an administrator") -> Host {
    let kernel = LiveKernel()
    let bus = SystemBus()
    return Host(
      kernel: kernel, systemd: bus, units: bus, monitor: QMPMonitor(), proxmox: QM(),
      store: LedgerFile(root: "", kernel: kernel, user: user), journal: Journal(),
      records: JournalReader(), root: "")
  }

  /// A host that was recorded in a folder or in the file of a capture.
  ///
  /// What a command changes is changed in the folder, as the host's kernel would change it; a file
  /// is unpacked into a folder that goes away with the host's kernel.
  static func recorded(in place: String) throws(HostError) -> Host {
    let kernel = try RecordedKernel(at: place)
    return Host(
      kernel: kernel, systemd: RecordedSystemd(of: kernel), units: nil, monitor: nil,
      proxmox: RecordedQM(of: kernel),
      store: LedgerFile(root: kernel.root, kernel: kernel), journal: .silent, records: nil,
      root: kernel.root)
  }

  func lifecycle(
    observe: @escaping (EngineEvent) -> Void = { _ in }, beginWork: @escaping () -> Void = {}
  ) -> Lifecycle {
    Lifecycle(
      kernel: kernel, systemd: systemd, units: units, monitor: monitor, store: store,
      observe: observe, requests: request, beginWork: beginWork)
  }

  /// How long an administrator waits for what a host that does not answer is to be told of, in
  /// milliseconds.
  static let patience = 20_000

  func deadline(milliseconds: Int) -> Deadline {
    kernel.now.advanced(byMilliseconds: milliseconds)
  }
}

extension Host {
  /// Runs something that changes the host, with progress on a terminal and an entry in the journal
  /// for each change.
  ///
  /// The report says what happened even where the end is a refusal or an error.
  func run(
    _ phase: String, _ domain: Domain?, warnings: [String] = [],
    beginWork: @escaping () -> Void = {}, _ body: (Lifecycle) throws -> Outcome
  ) -> (report: PhaseReport, error: (any Error)?) {
    var report = PhaseReport(domain: domain?.name, phase: phase)
    report.warnings = warnings
    let scribe = Scribe(journal: journal, domain: domain?.name, phase: phase)
    let lifecycle = lifecycle(
      observe: { event in
        report.note(event)
        scribe.record(event)
      }, beginWork: beginWork)
    var failure: (any Error)?
    do {
      report.note(try body(lifecycle))
    } catch let refusal as PhaseRefusal {
      report.refusals = refusal.reasons
      failure = refusal
    } catch {
      report.failures.append("\(error)")
      failure = error
    }
    Terminal.endProgress()
    scribe.record(report)
    return (report, failure)
  }
}
