internal import Bytes
internal import Advice
internal import ArgumentParser
internal import HostModel
internal import Port

struct AdviseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "advise",
    abstract: "Choose nodes, cores, caches and pages for a VM, and print the configuration.",
    discussion: """
      Nothing is changed. The places are ranked: a score of 0 has no flaw, and what each flaw costs \
      is said. CPUs that other VMs are pinned to are not free, nor is the rest of their cores. The \
      first core stays with the host, or the cores that --host-cpus names.

      EXAMPLES
        berth advise win10
        berth advise win10 --for throughput --candidate 2
        berth advise --vcpus 8 --memory 16G --pci 0000:41:00.0 0000:41:00.1
        berth advise 100 --json | jq -r '.candidates[0].proxmox.configuration[]'
        berth advise --vcpus 16 --memory 64G --root recorded-host/ --format libvirt
      """)

  @Argument(help: "An existing VM: its configuration says what is requested.")
  var domain: String?

  @Option(help: "How many vCPUs.")
  var vcpus: Int?

  @Option(
    help: ArgumentHelp(
      "How much memory: 16G, 16GiB or 16384M.",
      valueName: "size"))
  var memory: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("PCI functions passed through to it.", valueName: "address"))
  var pci: [String] = []

  @Option(
    help: ArgumentHelp(
      "The CPUs that stay with the host, such as 0-1,8-9, with all threads of their cores; by default the first core.",
      valueName: "cpus"))
  var hostCpus: String?

  @Option(name: .customLong("for"), help: "Optimise for latency or throughput.")
  var goal: Goal = .latency

  @Option(
    help: ArgumentHelp(
      "libvirt or proxmox; by default the VM's or the host's hypervisor.", valueName: "format"))
  var format: Hypervisor?

  @Option(help: ArgumentHelp("Which candidate is shown in full.", valueName: "number"))
  var candidate = 1

  @OptionGroup var source: DomainOptions
  @OptionGroup var options: HostOptions

  func validate() throws {
    let isNamed = domain != nil || source.isGiven
    if !isNamed, vcpus == nil || memory == nil {
      throw ValidationError("name a VM, or give --vcpus and --memory")
    }
    if let vcpus, !(1...CPUList.capacity).contains(vcpus) {
      throw ValidationError("--vcpus is \(vcpus), not a number from 1 to \(CPUList.capacity)")
    }
    if candidate < 1 { throw ValidationError("--candidate is \(candidate); they count from 1") }
    if let memory { _ = try MemorySize(memory) }
    _ = try hostCPUs
  }

  private var hostCPUs: CPUList {
    get throws {
      guard let hostCpus else { return [] }
      guard let cpus = try? CPUList(parsing: hostCpus), !cpus.isEmpty else {
        throw ValidationError("--host-cpus “\(hostCpus)” is no list of CPUs such as 0-1,8-9")
      }
      return cpus
    }
  }

  func run() throws {
    let report = try report()
    try options.print(report, lines: report.lines(showing: candidate))
    if report.candidates.isEmpty { throw ExitCode(1) }
  }

  func report() throws -> AdviceReport {
    let host = try options.host
    let isNamed = domain != nil || source.isGiven
    let present = isNamed ? try source.domain(named: domain, on: host) : nil
    let survey = try HostSurvey(of: host, without: present, hostCPUs: hostCPUs)
    let wish = try wish(present, survey)
    let advice = Advice(for: wish, on: survey.premises)
    guard advice.candidates.isEmpty || candidate <= advice.candidates.count else {
      throw Complaint("there are \(advice.candidates.count) candidates, and no \(candidate)")
    }
    let usual = present?.hypervisor ?? (host.kernel.exists("/etc/pve") ? .proxmox : .libvirt)
    return AdviceReport(advice, wish, present, survey, format: format ?? usual)
  }

  private func wish(_ present: Domain?, _ survey: HostSurvey) throws -> Wish {
    let configured = present.map { domain in
      (domain.cells.map(\.memoryKiB) + domain.memoryDevices.map(\.sizeKiB)).reduce(0, +)
    }
    let memoryKiB = try memory.map { try MemorySize($0).kiB } ?? configured ?? 0
    guard memoryKiB > 0 else { throw Complaint("the VM has no memory; give it with --memory") }
    var wish = Wish(
      vcpus: vcpus ?? present?.vcpus ?? 0, memoryKiB: memoryKiB, goal: goal)
    wish.iothreadIDs = present?.iothreadIDs ?? []
    wish.functions = try survey.functions(named: pci, of: present)
    wish.present = survey.presentPins(of: present).flatMap { $0.count == wish.vcpus ? $0 : nil }
    return wish
  }
}

extension Goal: ExpressibleByArgument {}
extension Hypervisor: ExpressibleByArgument {}
