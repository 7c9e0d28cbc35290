internal import ArgumentParser
internal import Bytes
internal import Facts
internal import FoundationEssentials
internal import HostModel
internal import Places
internal import Port

struct ObserveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "observe",
    abstract: "Measure a running VM's waiting, preemption and interrupts.",
    discussion: """
      Waiting is the time that a thread could have run and had no CPU; a guest sees it as stolen
      time. Record it once without Berth and once with it, under the same load, and compare:
      the first line says whether it helped.

      EXAMPLES
        berth observe win10
        berth observe win10 --seconds 30 --record before.json
        berth observe win10 --watch
        berth observe --compare before.json after.json --html report.html --svg report.svg
      """)

  @Argument(
    help: "A running VM: its name, or its Proxmox vmid.", completion: DomainName.running)
  var domain: String?

  @Option(help: ArgumentHelp("How long to count.", valueName: "seconds"))
  var seconds = 10

  @Flag(help: "Refresh every second until Ctrl-C.")
  var watch = false

  @Option(
    help: ArgumentHelp("Keep what was counted, for --compare.", valueName: "file"),
    completion: .file())
  var record: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Compare two recorded observations.", valueName: "before after"),
    completion: .file())
  var compare: [String] = []

  @Option(
    help: ArgumentHelp("Write the comparison as a page, too.", valueName: "file"),
    completion: .file())
  var html: String?

  @Option(
    help: ArgumentHelp("Write the comparison as a picture, too.", valueName: "file"),
    completion: .file(extensions: ["svg"]))
  var svg: String?

  @Flag(help: "Answer in JSON.")
  var json = false

  func validate() throws {
    guard compare.isEmpty == (domain != nil) else {
      throw ValidationError("name a running VM, or two records with --compare")
    }
    guard compare.isEmpty || compare.count == 2 else {
      throw ValidationError("--compare takes two files: the record before and the one after")
    }
    guard !compare.isEmpty || (html == nil && svg == nil) else {
      throw ValidationError("--html and --svg show a comparison: give --compare, too")
    }
    guard (1...3600).contains(seconds) else {
      throw ValidationError("--seconds is \(seconds), not a number from 1 to 3600")
    }
  }

  func run() throws {
    if compare.count == 2 { return try compareRecords() }
    guard let domain else { return }
    let host = Host.live()
    let process = try running(domain, on: host)
    guard watch else {
      return try show(try observation(of: domain, process, on: host, seconds: seconds))
    }
    try observeOn(domain, process, on: host)
  }

  /// Draws what came of each second until somebody ends it.
  private func observeOn(_ name: String, _ process: QEMUFacts, on host: Host) throws {
    var view = LiveView()
    defer { view.end() }
    let reader = ObservationReader(kernel: host.kernel)
    guard var before = try reader.sample(of: process) else { throw Self.ended(name) }
    var memory = try place(of: process, on: host)
    for second in 1... {
      guard view.wait(milliseconds: 1000) else { return }
      guard let after = try reader.sample(of: process) else { throw Self.ended(name) }
      // Memory moves slowly, and a walk through it may take longer than the second.
      if second.isMultiple(of: Self.memorySeconds) { memory = try place(of: process, on: host) }
      let report = report(name, Observation(from: before, to: after), memory)
      if json {
        Terminal.write(1, try JSON.text(of: report, isOneLine: true) + "\n")
      } else {
        view.draw(report.lines(height:))
      }
      before = after
    }
  }

  private static let memorySeconds = 10

  private func show(_ report: ObservationReport) throws {
    var options = HostOptions()
    options.json = json
    try options.print(report, lines: report.lines)
    if let record { try OutputFile(record).write(try JSON.text(of: report) + "\n") }
  }

  private func running(_ name: String, on host: Host) throws -> QEMUFacts {
    let guests = try GuestReader(kernel: host.kernel).running(asking: host.monitor)
    let named = try host.runningNames(of: name)
    let found = guests.filter { guest in named.contains(where: guest.name.isSame) }
    // Digits are a vmid before they are a name.
    if let guest = found.first(where: { $0.hypervisor == .proxmox }) ?? found.first {
      return guest.process
    }
    let names = guests.map(\.name)
    if let nearest = Spelling.nearest(to: name, among: names) {
      throw Complaint("no VM “\(name)” runs here; the nearest is “\(nearest)”")
    }
    let others = names.map { "“\($0)”" }.joined(separator: ", ")
    throw Complaint("no VM “\(name)” runs here" + (others.isEmpty ? "" : "; there are \(others)"))
  }

  private func observation(
    of name: String, _ process: QEMUFacts, on host: Host, seconds: Int
  ) throws -> ObservationReport {
    let reader = ObservationReader(kernel: host.kernel)
    guard let before = try reader.sample(of: process) else { throw Self.ended(name) }
    for second in 0..<seconds {
      Terminal.progress("counting: \(second) of \(seconds) s")
      host.kernel.pause(milliseconds: 1000)
    }
    Terminal.endProgress()
    guard let after = try reader.sample(of: process) else { throw Self.ended(name) }
    return report(name, Observation(from: before, to: after), try place(of: process, on: host))
  }

  /// What is known of a VM's memory, and why nothing is.
  private struct Place {
    var memory: [MemoryPlace] = []
    var nodes: [Int] = []
    var transparentKiB: Int?
    var remark: String?
  }

  private func place(of process: QEMUFacts, on host: Host) throws -> Place {
    let reader = ObservationReader(kernel: host.kernel)
    var place = Place()
    let vcpus = process.threads.filter { if case .vcpu = $0.thread.role { true } else { false } }
    place.nodes = try reader.nodes(of: vcpus.reduce(CPUList()) { $0.union($1.affinity) })
    do throws(HostError) {
      place.memory = try reader.memory(of: process.identity)
      place.transparentKiB = try reader.transparentKiB(of: process.identity)
    } catch {
      // The threads are worth telling of without it.
      place.remark =
        ErrorNumber(error.errno) == .accessDenied
        ? "where the memory is, the kernel tells root only"
        : "where the memory is cannot be told: \(error)"
    }
    return place
  }

  private func report(
    _ name: String, _ observation: Observation, _ place: Place
  ) -> ObservationReport {
    var report = ObservationReport(
      name, observation, place.memory, nodes: place.nodes, transparentKiB: place.transparentKiB)
    if let remark = place.remark { report.remarks = (report.remarks ?? []) + [remark] }
    return report
  }

  private static func ended(_ name: String) -> Complaint {
    Complaint("“\(name)” has ended while it was observed")
  }

  private func compareRecords() throws {
    let report = ComparisonReport(try Self.recorded(compare[0]), try Self.recorded(compare[1]))
    if let html { try OutputFile(html).write(ComparisonPage(report: report).html) }
    if let svg {
      try OutputFile(svg).write(ComparisonPicture(report: report).svg)
      // Standard output is the picture's then.
      if svg == "-" { return }
    }
    var options = HostOptions()
    options.json = json
    try options.print(report, lines: report.lines)
  }

  private static func recorded(_ path: String) throws -> ObservationReport {
    let bytes = try DomainFile.bytes(of: path)
    do {
      let report = try JSONDecoder().decode(ObservationReport.self, from: Data(bytes))
      if report.isPlausible { return report }
    } catch {}
    throw Complaint("\(path) is no record of berth observe")
  }
}
