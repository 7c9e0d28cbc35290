import HostModel
import Ledger

/// A host that outlives the processes that work on it: settings with the kernel's manners, and a
/// ledger file.
///
/// Every read, write and save costs the running process one step; when its budget is spent the
/// process is dead, and nothing that it does any more has an effect. The faults are those of a
/// crash between two system calls, of a write that the kernel refuses, and of one that it grants
/// in part.
final class World {
  var values: [Setting: Value]
  var saved = Ledger()
  /// Steps that the running process has left; nil for as many as it likes.
  var budget: Int?
  var steps = 0
  /// Settings whose writes fail with this errno.
  var refusals: [Setting: Int32] = [:]
  /// The most that a pool can hold.
  var limits: [Setting: Int] = [:]
  /// What a remedy adds to those limits.
  var remedyGain = 0
  var remediesUsed: [Step] = []
  /// Each change of the host, in its order.
  var writes: [(setting: Setting, value: Value)] = []
  /// Set when a write went to a setting whose original was not on record.
  var wroteUnrecorded: [Setting] = []
  var locked: Set<LedgerLock> = []
  var clock: UInt64 = 1

  init(_ values: [Setting: Value]) { self.values = values }

  var isDead: Bool { budget == 0 }

  /// Starts a new process that may do that many steps.
  func revive(budget: Int? = nil) {
    self.budget = budget
    locked = []
  }

  /// Takes one step; whether the process is still alive to do it.
  private func step() -> Bool {
    steps += 1
    if let left = budget {
      guard left > 0 else { return false }
      budget = left - 1
      return left > 1
    }
    return true
  }

  private static let death = HostError(.call, "process", diagnosis: "dead")
}

extension World: SettingHost {
  var now: Deadline {
    clock += 1
    return Deadline(nanoseconds: clock)
  }

  func read(_ setting: Setting) throws(HostError) -> Value? {
    guard step() else { throw Self.death }
    return values[setting]
  }

  func write(_ value: Value, to setting: Setting, until deadline: Deadline) throws(HostError) {
    guard step() else { throw Self.death }
    if saved.index(of: setting) == nil { wroteUnrecorded.append(setting) }
    if let errno = refusals[setting] { throw HostError(.write, "\(setting)", errno: errno) }
    guard values[setting] != nil else { throw HostError(.write, "\(setting)", errno: 2) }
    var granted = value
    if case .count(let count) = value, let limit = limits[setting] {
      granted = .count(min(count, limit))
    }
    writes.append((setting, granted))
    values[setting] = granted
    // As kernels before 6.2 do whenever a cpuset changes.
    if setting == Sample.slice, values[Sample.task] != nil {
      values[Sample.task] = .cpus([0, 1, 2, 3])
    }
  }

  func perform(_ step: Step, until deadline: Deadline) throws(HostError) {
    guard self.step() else { throw Self.death }
    remediesUsed.append(step)
    for setting in limits.keys { limits[setting, default: 0] += remedyGain }
  }
}

extension World: LedgerStore {
  func load() throws(LedgerError) -> Ledger {
    guard step() else { throw .host(Self.death) }
    return saved
  }

  func save(_ ledger: Ledger) throws(LedgerError) {
    guard step() else { throw .host(Self.death) }
    saved = ledger
  }

  func withLock<Result>(
    _ lock: LedgerLock, until deadline: Deadline, _ body: () throws -> Result
  ) throws -> Result {
    guard !isDead else { throw LedgerError.host(Self.death) }
    guard !locked.contains(lock) else {
      throw LedgerError.locked(path: "\(lock)", heldBy: "another hook")
    }
    locked.insert(lock)
    defer { locked.remove(lock) }
    return try body()
  }
}

extension World {
  static let forever = Deadline(nanoseconds: .max)

  var engine: Engine { Engine(host: self, store: self) }

  @discardableResult
  func enter(_ visitor: Visitor) throws -> Outcome {
    var plan = Plan(phase: .prepare)
    plan.changes = visitor.changes
    return try engine.apply(for: visitor.holder, until: Self.forever) { _ in plan }
  }

  @discardableResult
  func leave(_ visitor: Visitor) throws -> Outcome {
    try engine.release(until: Self.forever) { $0.id == visitor.holder.id }
  }

  @discardableResult
  func recover() throws -> Outcome {
    try engine.reconcile(until: Self.forever)
  }
}

/// A domain of a test, with all that it claims.
struct Visitor {
  var holder: Holder
  var changes: [Change]

  init(_ name: String, _ changes: [Change]) {
    holder = Holder(id: HolderID(hypervisor: .libvirt, id: name), name: name)
    self.changes = changes
  }
}

/// The settings of the tests: one of each kind.
enum Sample {
  static let governor = Setting.attribute(path: "/sys/governor", .text)
  static let irq = Setting.attribute(path: "/proc/irq/9/smp_affinity_list", .cpuList)
  static let slice = Setting.allowedCPUs(unit: "system.slice")
  static let pool = Setting.hugepagePool(HugepagePool(node: 1, pageKiB: 2048))
  static let latency = Setting.attribute(path: "/proc/sys/vm/stat_interval", .text)
  static let task = Setting.affinity(
    HostThread(pid: 77, tid: 77, startTime: 5, role: .foreign))
  static let card = PCIAddress("0000:41:00.0").map(Setting.driver) ?? governor

  static var host: [Setting: Value] {
    [
      governor: .text("powersave"), irq: .cpus([0, 1, 2, 3]),
      slice: .allowedCPUs(AllowedCPUs(cpus: [], hasRuntimeDropIn: false)), pool: .count(7),
      latency: .text("1"), task: .cpus([2, 3]),
      card: .driver(DriverBinding(driver: "igb", override: nil)),
    ]
  }

  static let vfio = Value.driver(DriverBinding(driver: "vfio-pci", override: "vfio-pci"))

  static func visitor(
    _ name: String, cpus: CPUList, pages: Int, withCard: Bool = false, interval: Int
  ) -> Visitor {
    let all = CPUList(0...3)
    var changes = [
      Change(pool, .more(pages, need: pages), because: "memory", isRequired: true),
      Change(governor, .exactly(.text("performance")), because: "speed"),
      Change(task, .keep, because: "isolation"),
      Change(slice, .withoutCPUs(cpus, all: all), because: "isolation"),
      Change(irq, .withoutCPUs(cpus, all: all), because: "interrupts"),
      Change(latency, .atLeast(interval), because: "quiet"),
    ]
    if withCard {
      changes.insert(Change(card, .alone(vfio), because: "card", isRequired: true), at: 1)
    }
    return Visitor(name, changes)
  }

  static let alpha = visitor("alpha", cpus: [1], pages: 5, withCard: true, interval: 10)
  static let beta = visitor("beta", cpus: [2], pages: 3, interval: 120)
}
