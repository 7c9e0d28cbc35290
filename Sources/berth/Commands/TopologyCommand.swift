internal import ArgumentParser
internal import Bytes
internal import Facts
internal import HostModel

struct TopologyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "topology",
    abstract: "Show nodes, caches, cores, memory and PCI functions, and which VM is where.",
    discussion: """
      A core is a pair of brackets with its threads in it. Behind a CPU stands the letter of the VM
      that is pinned to it: a capital for a vCPU, a small one for other threads of QEMU, + where
      several VMs have vCPUs.

      EXAMPLES
        berth topology
        berth topology win10 --svg host.svg
        berth topology --json | jq '.cpus[] | select(.node == 1) | .id'
      """)

  @Argument(
    help: "Only these running VMs; all of them without a name.", completion: DomainName.running)
  var domains: [String] = []

  @Option(
    help: ArgumentHelp("Write a picture; “-” writes to standard output.", valueName: "file"),
    completion: .file(extensions: ["svg"]))
  var svg: String?

  @OptionGroup var options: HostOptions

  func run() throws {
    let host = try options.host
    let kernel = host.kernel
    var topology = try TopologyReader(kernel: kernel).topology()
    topology.guests = try GuestReader(kernel: kernel).running(onlyCPUs: true).map(
      TopologyGuest.init)
    if !domains.isEmpty {
      let all = topology.guests
      topology.guests = try domains.flatMap { domain in
        let names = try host.runningNames(of: domain)
        let found = all.filter { guest in names.contains(where: guest.name.isSame) }
        if found.isEmpty { throw Complaint("no VM “\(domain)” runs here") }
        return found
      }
    }
    let plan = TopologyPlan(topology)
    guard let svg else {
      return try options.print(TopologyReport(topology), lines: plan.lines)
    }
    try OutputFile(svg).write(TopologyPicture(plan).svg)
  }
}
