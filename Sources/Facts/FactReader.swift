internal import Bytes
package import HostModel
package import Port

/// Reads what a plan has to know of the host, and nothing else.
///
/// It cannot change the host: a `KernelReader` has no way to write. All processes are looked at once
/// at most, and so are the drivers of functions, so that a plan made later needs a reader of its own. Whatever the host does, it is done a
/// little after its deadline at most: what did not answer by then is an error.
package struct FactReader {
  let kernel: any KernelReader
  let monitor: (any QEMUMonitor)?
  let units: (any UnitReader)?
  let processes: ProcessTable
  let deadline: Deadline
  let bindings = KnownBindings()

  /// - Parameters:
  ///   - kernel: The host's kernel.
  ///   - monitor: Who asks a running QEMU for its threads; nil where none answers.
  ///   - units: The host's manager; nil for a host without.
  ///   - deadline: When all has to be read; by default so long from now as a look of an
  ///     administrator's may take.
  package init(
    kernel: any KernelReader, monitor: (any QEMUMonitor)? = nil, units: (any UnitReader)? = nil,
    until deadline: Deadline? = nil
  ) {
    let deadline = deadline ?? kernel.now.advanced(byMilliseconds: Self.patience)
    let kernel: any KernelReader = kernel.bounded(by: deadline)
    self.kernel = kernel
    self.deadline = deadline
    self.monitor = monitor
    self.units = units
    processes = ProcessTable(kernel: kernel)
  }

  /// How long somebody waits for an answer at a terminal, in milliseconds.
  private static let patience = 20_000

  /// The facts that `needs` asks for; what it does not ask for keeps its empty value.
  ///
  /// `neighbours` come from the ledger, and are left empty here.
  package func facts(
    for domain: Domain, needing needs: FactNeeds
  ) throws(HostError) -> HostFacts {
    var facts = HostFacts()
    facts.kernel = try kernelVersion()
    if needs.cpus || needs.cores || needs.nodes || needs.units { try readCPUs(into: &facts) }
    if needs.cores { facts.cores = try cores(among: facts.onlineCPUs) }
    if needs.nodes { try readMemory(into: &facts) }
    for address in needs.functions {
      if let function = try function(address, with: needs.functionAttributes) {
        facts.functions.append(function)
      }
    }
    try readUsers(of: &facts.functions)
    forgetQEMU(of: domain, in: &facts.functions)
    if needs.displays { facts.displays = try displays() }
    facts.modules = try modules(needs.modules)
    if needs.cpusets { try readCpusets(into: &facts) }
    if needs.realtimeLimit { facts.realtimeRuntimeMicroseconds = try realtimeRuntime() }
    facts.frequencies = try frequencies(of: needs.frequencyCPUs)
    if needs.boost { facts.boost = try boost() }
    facts.idleStates = try idleStates(of: needs.idleCPUs)
    facts.attributes = attributes(at: needs.attributes)
    facts.physicalFunctions = try physicalFunctions(named: needs.physicalFunctions)
    facts.virtualFunctions = try virtualFunctions(named: needs.virtualFunctions)
    facts.slots = try slots(needs.slots)
    for bar in needs.bars {
      if let found = try BARReader(kernel: kernel).facts(of: bar) { facts.bars.append(found) }
    }
    facts.absentMediatedDevices = needs.mediatedDevices.filter { uuid in
      !kernel.exists("/sys/bus/mdev/devices/\(uuid)")
    }
    if !needs.slots.isEmpty { facts.vfioUsers = try vfioUsers() }
    if needs.interrupts { facts.interrupts = try interrupts() }
    if !needs.services.isEmpty { try readServices(needs.services, into: &facts) }
    facts.programs = needs.programs.map { path in
      ProgramFacts(path: path, objection: kernel.objection(toRunning: kernel.path(named: path)))
    }
    facts.companions = try companions(named: needs.companions, of: domain.hypervisor)
    if needs.pinnedTasks {
      facts.pinnedTasks = try TaskReader(
        kernel: kernel, version: facts.kernel, processes: processes
      ).pinned()
    }
    if needs.process {
      facts.process = try QEMUReader(
        kernel: kernel, version: facts.kernel, monitor: monitor, processes: processes,
        until: deadline
      ).process(of: domain)
    }
    if needs.vcpuGroupCPUs {
      for (vcpu, group) in facts.process?.vcpuGroups ?? [:] {
        let file: HostPath = "/sys/fs/cgroup/\(below: group)/cpuset.cpus"
        facts.process?.vcpuGroupCPUs[vcpu] = try kernel.ifPresent { () throws(HostError) in
          try kernel.list(of: file)
        }
      }
    }
    if needs.otherQEMUs { facts.otherQEMUs = try otherQEMUs(than: domain) }
    // Those that are not on the way to the domain's threads.
    if needs.units { try readUnits(beside: facts.process, of: domain, into: &facts) }
    if needs.coreCookie, let process = facts.process {
      facts.process?.cookie = try cookie(of: process.identity)
    }
    if needs.kernelWork == .always
      || needs.kernelWork == .unlessPartitioned && !canPartition(facts)
    {
      facts.kernelWork = try KernelWorkReader(kernel: kernel, processes: processes).read()
    }
    facts.skipped = processes.skipped.map { "\($0)" }
    return facts
  }

  /// Whether the domain's CPUs can become partitions of their own.
  private func canPartition(_ facts: HostFacts) -> Bool {
    facts.process?.canPartition == true
  }

  /// Who may run beside a QEMU; of one that has ended meanwhile, whoever likes.
  private func cookie(of process: ProcessIdentity) throws(HostError) -> QEMUFacts.CoreCookie {
    do throws(HostError) {
      switch try CoreCookieReader(kernel: kernel).cookie(of: process) {
      case .none: return .none
      case .own: return .own
      case .mixed: return .mixed
      }
    } catch {
      switch ErrorNumber(error.errno) {
      case .noSuchProcess: return .none
      case .noDevice: return .unavailable("no CPU of the host shares its core with another")
      case .invalid: return .unavailable("this kernel is built without it")
      default: throw error
      }
    }
  }

  private func kernelVersion() throws(HostError) -> KernelVersion {
    try kernel.version()
  }

  /// `-1` for no limit; nil where the kernel has no such limit.
  private func realtimeRuntime() throws(HostError) -> Int? {
    let path: HostPath = "/proc/sys/kernel/sched_rt_runtime_us"
    return try kernel.ifPresent { () throws(HostError) in try kernel.number(of: path, as: .integer)
    }
  }
}

/// The drivers that have been looked at: the functions of a card are siblings of each other.
final class KnownBindings {
  var known: [HostPath: DriverBinding] = [:]
}
