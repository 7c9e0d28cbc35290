internal import Bytes
internal import Facts
internal import Findings
internal import Formats
internal import HostModel
internal import Ledger
internal import Lifecycle
internal import Port
internal import Tunings

/// Puts together what is known of a host and its domains, for the checks to look at.
struct Examiner {
  private let host: Host
  private let lifecycle: Lifecycle
  private let facts: FactReader
  private let installation: InstallationReader
  private let policy: PolicyFile
  private let policyErrors: [Remark]
  private let ledger: Ledger
  private let running: [TopologyGuest]
  /// What could not be read of domains that nobody asked for.
  private(set) var complaints: [String] = []

  init(_ host: Host) throws {
    self.host = host
    lifecycle = host.lifecycle()
    facts = FactReader(kernel: host.kernel, monitor: host.monitor, units: host.systemd)
    installation = InstallationReader(kernel: host.kernel)
    (policy, policyErrors) = Self.policy(of: host)
    ledger = try lifecycle.ledgerOfThePresent()
    running = try GuestReader(kernel: host.kernel).running().map(TopologyGuest.init)
  }

  /// The host with every domain that it knows, and the domains to look at: the one that is named,
  /// or all that Berth would do something for.
  ///
  /// A configuration that is named must be right; of the others, one that cannot be read is passed
  /// over with a complaint.
  mutating func examine(
    _ named: DomainConfiguration?
  ) throws -> (host: ExaminedHost, domains: [ExaminedDomain]) {
    var examined = ExaminedHost(
      topology: try TopologyReader(kernel: host.kernel).topology(),
      installation: try installation.facts())
    var subject: ExaminedDomain?
    if let named { subject = try domain(named) }
    for configuration in try DomainConfiguration.all(on: host) {
      do {
        let domain = try domain(configuration)
        if let subject, subject.domain.holder == domain.domain.holder { continue }
        examined.domains.append(domain)
      } catch {
        complaints.append("\(error); passed over")
      }
    }
    if let subject { examined.domains.append(subject) }
    examined.policyErrors = policyErrors
    if complaints.isEmpty, policyErrors.isEmpty {
      examined.strayPolicySections = policy.strays(among: examined.domains.map(\.domain)).map {
        Remark(
          place: "\($0.problem.file):\($0.problem.line)", value: $0.header,
          sentence: $0.problem.sentence)
      }
    }
    if examined.domains.contains(where: { !$0.vcpuCPUs.isEmpty }) {
      examined.balancers = try facts.balancers()
    }
    let tuned = examined.domains.filter(\.isTuned)
    return (examined, try (subject.map { [$0] } ?? tuned).map(planned))
  }

  /// The policy file as far as it can be read, and all that is wrong with it: the other checks go on.
  private static func policy(of host: Host) -> (file: PolicyFile, errors: [Remark]) {
    do throws(HostError) {
      let file = try host.policyFile()
      let errors = file.problems.map { problem in
        let column = problem.column.map { ":\($0)" } ?? ""
        return Remark(
          place: "\(problem.file):\(problem.line)\(column)", value: nil, sentence: problem.sentence)
      }
      return (file, errors)
    } catch {
      return (.empty, [Remark(place: "/etc/berth/berth.toml", value: nil, sentence: "\(error)")])
    }
  }

  private func domain(_ configuration: DomainConfiguration) throws -> ExaminedDomain {
    switch configuration.hypervisor {
    case .libvirt:
      let domain = try DomainFile.parse(configuration.bytes, from: configuration.file)
      let machine: GuestMachine
      do throws(DomainXMLError) {
        machine = try DomainXML.machine(from: configuration.bytes)
      } catch {
        throw DomainFileError(place: configuration.file, error: error)
      }
      var found = try examined(domain, configuration, machine)
      // Links of the same names as the configurations (src/conf/domain_conf.c, `virDomainConfigFile()`).
      let file = "\(domain.name).xml"
      let link: HostPath = "/etc/libvirt/qemu/autostart/\(file)"
      found.startsWithHost = host.kernel.exists(link)
      return found
    case .proxmox:
      let runs = configuration.vmid.map { vmid in
        running.contains { $0.isFor(.proxmox, id: vmid, name: vmid) }
      }
      let atNextStart = runs != true
      let conf = try ProxmoxConf(
        configuration.bytes, named: configuration.file, vmid: configuration.vmid,
        atNextStart: atNextStart)
      var domain = conf.domain
      _ = try ProxmoxHost(kernel: host.kernel).settle(&domain)
      let extra = try ProxmoxMachine(
        configuration.bytes, named: configuration.file, atNextStart: atNextStart)
      var found = try examined(domain, configuration, extra.machine)
      found.remarks = conf.warnings.map { warning in
        Remark(
          place: "\(warning.file):\(warning.line)", value: warning.value,
          sentence: warning.sentence)
      }
      found.startsWithHost = extra.startsWithHost
      found.hookscript = extra.hookscript
      found.hookscriptObjection = extra.hookscript.flatMap {
        Self.objection(toHookscript: $0, on: host)
      }
      return found
    }
  }

  private func examined(
    _ domain: Domain, _ configuration: DomainConfiguration, _ machine: GuestMachine
  ) throws -> ExaminedDomain {
    let known = try? policy.policy(for: domain)
    let policy = known ?? DomainPolicy(value: Policy(), warnings: [])
    let request = try lifecycle.settled(
      Request(domain: domain, phase: .prepare, policy: policy.value), for: domain.holder,
      beside: ledger,
      until: host.deadline(milliseconds: Host.patience))
    var found = ExaminedDomain(
      domain, file: configuration.file, machine: machine, policy: request.policy)
    found.policyWarnings = policy.warnings
    found.hasKnownPolicy = known != nil
    for vcpu in domain.onlineVCPUs {
      found.pins[vcpu] = domain.vcpuPins[vcpu] ?? request.policy.pins.vcpus[vcpu]
    }
    found.fence = AutomaticPins.remarkOnFence(of: request)
    var started = request
    started.phase = .started
    found.isTuned = !lifecycle.asksForNothing(request) || !lifecycle.asksForNothing(started)
    found.isRunning = running.contains { guest in
      guest.isFor(domain.hypervisor, id: domain.id, name: domain.name)
    }
    found.isIn = ledger.holder(domain.holder) != nil
    if found.isIn {
      found.departures = try lifecycle.departures(
        in: ledger, until: host.deadline(milliseconds: Host.patience)
      ).filter { $0.domain.isSame(as: domain.name) }
    }
    found.attained = ledger.holder(domain.holder)?.attained ?? []
    var needs = FactNeeds()
    needs.functions = domain.functions.map(\.address)
    found.functions = try facts.facts(for: domain, needing: needs).functions
    return found
  }

  /// The domain with the plans of its next start.
  private func planned(_ domain: ExaminedDomain) throws -> ExaminedDomain {
    guard !domain.isRunning, domain.policy.isEnabled, domain.hasKnownPolicy else { return domain }
    var planned = domain
    let request = Request(domain: domain.domain, phase: .prepare, policy: domain.policy)
    var (plan, changes) = try host.preview(request, beside: ledger, anew: true)
    for change in changes {
      guard let objection = change.objection else { continue }
      if change.change.isRequired {
        plan.refusals.append(Refusal(objection))
      } else {
        plan.warnings.append(objection)
      }
    }
    plan.warnings += domain.policyWarnings
    planned.plans = [plan]
    return planned
  }

  /// Why a hookscript cannot be run; nil where it can, or is not known: where a snippet is, only the storage that each
  /// node has from the start tells by its name.
  static func objection(toHookscript volume: String, on host: Host) -> String? {
    guard let name = volume.rest(after: "local:snippets/"), !name.isEmpty, !name.has("/"),
      name != "..", name != "."
    else { return nil }
    let storage = (try? ProxmoxHost(kernel: host.kernel).localStorage()) ?? LocalStorage()
    return InstallationReader(kernel: host.kernel)
      .objection(toRunning: "\(storage.snippets)/\(name)")
  }
}
