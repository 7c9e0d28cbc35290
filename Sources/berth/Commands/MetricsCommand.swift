internal import ArgumentParser
internal import HostIO
internal import HostModel

struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Write what is held and how long vCPUs wait, for node_exporter's textfile collector.",
    discussion: """
      The file is replaced at once, so that no half of it is ever read. Run it from a timer.

      EXAMPLES
        berth metrics
        berth metrics --output /var/lib/prometheus/node-exporter/berth.prom
      """)

  @Option(
    help: ArgumentHelp("The file to replace; without it, standard output.", valueName: "file"))
  var output: String?

  @OptionGroup var source: RootOptions

  func run() throws {
    let host = try source.host
    let status = StatusReport(
      try host.store.load(), damaged: try host.store.damagedFiles(), on: host.lifecycle())
    let text = Metrics(status, try samples(on: host)).text
    guard let output else { return try OutputFile("-").write(text) }
    try OutputFile(output).replace(text)
  }

  private func samples(on host: Host) throws -> [Metrics.NamedSample] {
    let reader = ObservationReader(kernel: host.kernel)
    var samples: [Metrics.NamedSample] = []
    for guest in try GuestReader(kernel: host.kernel).running(
      asking: host.monitor, onlyCPUs: true)
    {
      guard let sample = try reader.sample(of: guest.process) else { continue }
      samples.append(Metrics.NamedSample(name: guest.name, sample: sample))
    }
    return samples
  }
}
