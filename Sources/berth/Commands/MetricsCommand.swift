internal import ArgumentParser
internal import Facts
internal import HostModel

struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Write what is held and how long vCPUs wait, for node_exporter's textfile collector.",
    discussion: """
      The file is replaced at once, so that no half of it is ever read. Run it from a timer; \
      docs/METRICS.md has one, and says of each family what it is.

      EXAMPLES
        berth metrics
        berth metrics --output /var/lib/prometheus/node-exporter/berth.prom
      """)

  @Option(
    help: ArgumentHelp("The file to replace; without it, standard output.", valueName: "file"),
    completion: .file())
  var output: String?

  @OptionGroup var source: RootOptions

  func run() throws {
    let host = try source.host
    let text = Metrics(try host.status(withErrors: false), try samples(on: host)).text
    guard let output else { return try OutputFile("-").write(text) }
    try OutputFile(output).replace(text)
  }

  private func samples(on host: Host) throws -> [Metrics.NamedSample] {
    let reader = ObservationReader(kernel: host.kernel)
    var samples: [Metrics.NamedSample] = []
    for guest in try GuestReader(kernel: host.kernel).running(
      asking: host.monitor, onlyCPUs: true)
    {
      do throws(HostError) {
        guard let sample = try reader.sample(of: guest.process) else { continue }
        samples.append(Metrics.NamedSample(name: guest.name, sample: sample))
      } catch {
        // What is held is worth writing without it.
        Terminal.complain("nothing is counted of “\(guest.name)”: \(error)")
      }
    }
    return samples
  }
}
