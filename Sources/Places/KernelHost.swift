internal import Bytes
internal import Facts
package import HostModel
internal import Ledger
package import Port

/// The settings of a host, by its kernel and its systemd.
package struct KernelHost: SettingHost {
  let kernel: any Kernel
  let systemd: any Systemd

  package init(kernel: any Kernel, systemd: any Systemd) {
    self.kernel = kernel
    self.systemd = systemd
  }

  package var now: Deadline { kernel.now }

  package func read(_ setting: Setting, until deadline: Deadline) throws(HostError) -> Value? {
    do throws(HostError) {
      return try place(setting, until: deadline).read(until: deadline)
    } catch  where Self.meansGone(error) {
      return nil
    }
  }

  package func original(of setting: Setting, until deadline: Deadline) throws(HostError) -> Value? {
    do throws(HostError) {
      return try place(setting, until: deadline).original(until: deadline)
    } catch  where Self.meansGone(error) {
      return nil
    }
  }

  package func confinement(of setting: Setting) throws(HostError) -> CPUList? {
    try place(setting, until: now).confinement()
  }

  package func initialValue(of setting: Setting) throws(HostError) -> Value? {
    try place(setting, until: now).initialValue()
  }

  package func onlineCPUs() throws(HostError) -> CPUList {
    try kernel.list(of: "/sys/devices/system/cpu/online")
  }

  /// It counts sleep in memory and idle; of hibernation there is no count (kernel/power/main.c,
  /// `suspend_stats`).
  package func hasSlept() throws(HostError) -> Bool {
    try kernel.wordIfPresent(of: "/sys/power/suspend_stats/success").map { $0 != "0" } ?? false
  }

  package func members(of collective: Collective) throws(HostError) -> [Setting] {
    try MemberReader(kernel: kernel).members(of: collective)
  }

  package func write(
    _ value: Value, to setting: Setting, until deadline: Deadline
  ) throws(HostError) {
    try place(setting, until: deadline).write(value, until: deadline)
  }

  package func perform(_ step: Step, until deadline: Deadline) throws(HostError) {
    switch step {
    case .compactMemory(let node):
      try kernel.write("1", to: kernel.compaction(ofNode: node), until: deadline)
    case .dropCaches:
      try kernel.write("1", to: "/proc/sys/vm/drop_caches", until: deadline)
    case .awaitEnd(let departure): try awaitEnd(of: departure, until: deadline)
    case .once(let setting, let value), .correct(let setting, let value):
      let place = place(setting, until: deadline)
      guard try place.read(until: deadline) != value else { return }
      try place.write(value, until: deadline)
      let standing = try place.read(until: deadline)
      if standing != value {
        throw HostError(
          .write, "\(setting)", value: "\(value)", diagnosis: "it reads “\(standing)” afterwards")
      }
    }
  }

  package func whileAlone<Result>(
    with setting: Setting, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    guard case .hugepagePool = setting else { return try body() }
    return try kernel.whileLocked(PoolPlace.sharedLock, until: deadline, body)
  }

  package func worker() throws(HostError) -> ProcessIdentity? {
    try process(numbered: kernel.ownPID)
  }

  package func process(numbered pid: Int) throws(HostError) -> ProcessIdentity? {
    try ProcessReader(kernel: kernel).identity(of: pid)
  }

  private static let pause = 100

  /// Waits for a process, and for the file that its hypervisor removes when all is over.
  ///
  /// libvirt keeps the pid file until it has given back the domain's devices
  /// (src/qemu/qemu_process.c, `qemuProcessStop`).
  private func awaitEnd(of departure: Departure, until deadline: Deadline) throws(HostError) {
    let reader = ProcessReader(kernel: kernel)
    // Counted, as the clock of a recorded host runs on while nothing happens there.
    for _ in 0...departure.milliseconds / Self.pause {
      let isAlive = try reader.identity(of: departure.process.pid) == departure.process
      if !isAlive, !kernel.exists(HostPath(foreign: departure.file)) { return }
      guard kernel.now < deadline else { break }
      kernel.pause(milliseconds: Self.pause)
    }
    throw HostError(
      .follow, "the end of \(departure.name)", errno: ErrorNumber.timedOut.number,
      diagnosis: "it still runs")
  }

  private func place(_ setting: Setting, until deadline: Deadline) -> any Place {
    let kernel: any Kernel = kernel.bounded(by: deadline)
    return switch setting {
    case .attribute(let path, .cpuMask)
    where HostPath(foreign: path).begins(with: KernelPath.workqueues):
      WorkqueuePlace(kernel: kernel, path: HostPath(foreign: path))
    case .attribute(let path, let format):
      AttributePlace(kernel: kernel, path: HostPath(foreign: path), format: format)
    case .coupled(let coupling): CoupledPlace(kernel: kernel, coupling: coupling)
    case .hugepagePool(let pool): PoolPlace(kernel: kernel, pool: pool)
    case .virtualFunctions(let parent):
      VirtualFunctionsPlace(kernel: kernel, parent: parent)
    case .virtualFunction(let function, let attribute):
      VirtualFunctionPlace(kernel: kernel, function: function, attribute: attribute)
    case .slot(let slot): SlotPlace(kernel: kernel, slot: slot)
    case .driver(let address): DriverPlace(kernel: kernel, function: address)
    case .platformDriver(let device): DriverPlace(kernel: kernel, platformDevice: device)
    case .module(let name): ModulePlace(kernel: kernel, name: name)
    case .console(let name): ConsolePlace(kernel: kernel, name: name)
    case .functionAttribute(let address, let attribute):
      FunctionAttributePlace(kernel: kernel, address: address, attribute: attribute)
    case .barSize(let bar): BARPlace(kernel: kernel, bar: bar)
    case .allowedCPUs(let unit): UnitPlace(kernel: kernel, systemd: systemd, path: unit)
    case .cpuset(let group): CPUSetPlace(kernel: kernel, group: group)
    case .affinity(let thread): AffinityPlace(kernel: kernel, thread: thread)
    case .scheduler(let thread): SchedulerPlace(kernel: kernel, thread: thread)
    case .service(let unit): ServicePlace(systemd: systemd, unit: unit)
    case .ownService(let service):
      OwnServicePlace(kernel: kernel, systemd: systemd, service: service)
    case .coreCookie(let process): CoreCookiePlace(kernel: kernel, process: process)
    case .interrupt(let interrupt): InterruptPlace(kernel: kernel, interrupt: interrupt)
    case .balancedOff(let process): BalancedOffPlace(kernel: kernel, process: process)
    case .balancing(let interrupt, let process):
      BalancingPlace(kernel: kernel, interrupt: interrupt, process: process)
    case .every(let collective): CollectivePlace(collective: collective)
    }
  }

  /// Whether an error says that the place itself has vanished: its file, its cgroup (`ENODEV` from
  /// an open file of a removed one) or its thread.
  private static func meansGone(_ error: HostError) -> Bool {
    let number = ErrorNumber(error.errno)
    return number == .notFound || number == .noDevice || number == .noSuchProcess
  }
}

/// The settings of a host for those who only look: it has no way to write.
package struct KernelHostReader: SettingReader {
  private let host: KernelHost

  package init(_ host: KernelHost) { self.host = host }

  package func read(_ setting: Setting, until deadline: Deadline) throws(HostError) -> Value? {
    try host.read(setting, until: deadline)
  }

  package func original(of setting: Setting, until deadline: Deadline) throws(HostError) -> Value? {
    try host.original(of: setting, until: deadline)
  }

  package func confinement(of setting: Setting) throws(HostError) -> CPUList? {
    try host.confinement(of: setting)
  }

  package func initialValue(of setting: Setting) throws(HostError) -> Value? {
    try host.initialValue(of: setting)
  }

  package func onlineCPUs() throws(HostError) -> CPUList { try host.onlineCPUs() }

  package func hasSlept() throws(HostError) -> Bool { try host.hasSlept() }
}

/// One kind of setting: how its value is read and written.
package protocol Place {
  /// - Throws: `ENOENT`, `ENODEV` or `ESRCH` where the place is gone.
  func read(until deadline: Deadline) throws(HostError) -> Value
  func write(_ value: Value, until deadline: Deadline) throws(HostError)

  /// What `SettingReader.original(of:until:)` has to tell.
  func original(until deadline: Deadline) throws(HostError) -> Value
  /// What `SettingReader.confinement(of:)` has to tell.
  func confinement() throws(HostError) -> CPUList?
  /// What `SettingReader.initialValue(of:)` has to tell.
  func initialValue() throws(HostError) -> Value?
}

extension Place {
  func original(until deadline: Deadline) throws(HostError) -> Value { try read(until: deadline) }

  func confinement() throws(HostError) -> CPUList? { nil }

  func initialValue() throws(HostError) -> Value? { nil }

  /// The error for a value that this kind of setting cannot hold; only a bug asks for one.
  func unsupported(_ value: Value, at place: String) -> HostError {
    HostError(.write, place, value: "\(value)", errno: ErrorNumber.invalid.number)
  }

  func unsupported(_ value: Value, at path: HostPath) -> HostError {
    unsupported(value, at: path.description)
  }
}
