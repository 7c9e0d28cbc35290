internal import ArgumentParser
internal import Bytes
internal import HostModel
internal import Ledger
internal import Lifecycle
internal import State

struct ReleaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "release",
    abstract: "Give back what a VM holds.",
    discussion: """
      Of a VM that runs, only if you say so at the prompt or by --even-running: its CPUs are no longer \
      reserved then, nor its threads pinned and prioritised by Berth.

      Exit status: 0 where all of it is restored, 1 where something failed, 2 where nothing was done.

      EXAMPLES
        berth release win10
        berth release 6f1a52c6-9a3c-4c8b-8a52-3f1a0a7c11d0
        berth release --all
        berth release --force "driver of 0000:41:00.0"
      """)

  @Argument(
    help: "The VM's name, UUID or vmid, as “berth status” shows it.",
    completion: DomainName.known)
  var domain: String?

  @Flag(help: "Give back what every VM holds.")
  var all = false

  @Flag(help: "Give back also what running VMs hold.")
  var evenRunning = false

  @Option(
    help: ArgumentHelp(
      "Put one setting's original back, whoever holds it and whatever stands there.",
      valueName: "setting"))
  var force: String?

  @OptionGroup var options: HostOptions

  func validate() throws {
    guard [domain != nil, all, force != nil].count(where: { $0 }) == 1 else {
      throw ValidationError("name one VM, or give --all or --force")
    }
  }

  func run() throws {
    let host = try options.host
    let deadline = host.deadline(milliseconds: 30_000)
    if let force {
      let setting = try setting(named: force, in: try host.store.load())
      return try host.report("release", nil, options) { try $0.force(setting, until: deadline) }
    }
    guard let domain else {
      try confirm(try host.store.load().holders, on: host)
      return try host.report("release", nil, options) { try $0.releaseAll(until: deadline) }
    }
    guard let holder = try host.holder(named: domain) else {
      throw try host.complaint(aboutUnheld: domain)
    }
    try confirm([holder], on: host)
    try host.report("release", nil, options) {
      try $0.release(holder.id, until: deadline)
    }
  }

  /// - Throws: `Complaint` where a VM runs and nobody has said that it may lose what it holds.
  private func confirm(_ holders: [Holder], on host: Host) throws {
    let lifecycle = host.lifecycle()
    let running = evenRunning ? [] : holders.filter(lifecycle.isSeenRunning)
    guard !running.isEmpty else { return }
    let names = running.map(\.name).joined(separator: ", ")
    let verb = running.count == 1 ? "runs" : "run"
    if !options.json, Terminal.agrees(to: "\(names) \(verb). Give back what it holds all the same?")
    {
      return
    }
    throw Complaint(
      "\(names) \(verb), and would lose reserved CPUs, pins and priorities: stop it first, or add "
        + "--even-running")
  }

  /// The setting that goes by this name in `berth status`, in full or in short.
  private func setting(named name: String, in ledger: Ledger) throws -> Setting {
    let named = ledger.entries.map(\.setting).filter { "\($0)" == name || $0.title == name }
    guard let setting = named.first else {
      throw Complaint("no VM holds “\(name)”; “berth status” shows what is held")
    }
    guard named.count == 1 else {
      let names = named.map { "\($0)" }.joined(separator: ", ")
      throw Complaint("“\(name)” may be \(names); name one in full")
    }
    return setting
  }
}

extension Host {
  /// The domain that is in and goes by this name or id; nil where none does.
  func holder(named name: String) throws -> Holder? {
    let holders = try store.load().holders.filter { $0.isNamed(name) }
    guard holders.count > 1 else { return holders.first }
    let ids = holders.map { "\($0.id)" }.joined(separator: ", ")
    throw Complaint("“\(name)” is the name of several VMs; name one of \(ids)")
  }
}

extension Host {
  /// That nothing is held for a domain, with the name that may have been meant.
  func complaint(aboutUnheld name: String) throws -> Complaint {
    let held = try store.load().holders.map(\.name)
    let way = Spelling.nearest(to: name, among: held).map { "the nearest active VM is “\($0)”" }
    return Complaint(
      "Berth holds nothing for “\(name)”; \(way ?? "“berth status” lists the active VMs")")
  }
}

extension Holder {
  /// Whether an administrator means it: by its id, which `berth status` shows with its hypervisor or
  /// without, or else by its name.
  ///
  /// What is an id of anybody's is nobody's name.
  fileprivate func isNamed(_ text: String) -> Bool {
    if "\(id)".isSame(as: text) { return true }
    return VMReference(text).isFor(id.hypervisor, id: id.id, name: name)
  }
}
