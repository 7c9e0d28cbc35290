internal import Bytes
internal import HostModel

/// Keeps all other tasks of the host off the CPUs of a domain's vCPUs.
///
/// By an isolated cpuset partition on each vCPU's own cgroup where the kernel has remote
/// partitions: the kernel then takes the CPU from every other task, from unbound workqueues and
/// from load balancing, and gives it back by itself when the cgroup goes
/// (Documentation/admin-guide/cgroup-v2.rst, “cpuset.cpus.partition”). Else by `AllowedCPUs=` on
/// the units that hold the host's tasks.
///
/// Proxmox keeps all threads of a domain in one scope, which systemd does not delegate: groups of
/// Berth's own below it would lose their controllers at the scope's next property. There the scope
/// as a whole becomes the partition, of the CPUs of `affinity`, which are all its threads' own; where
/// the emulator may run elsewhere, among the host's tasks, it cannot.
struct Isolation: Tuning {
  static let name = "isolation"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard isWanted(by: request), request.phase == .prepare || isAfterStart(request.phase) else {
      return needs
    }
    needs.cpus = true
    needs.units = isAfterStart(request.phase)
    needs.process = isAfterStart(request.phase)
    needs.pinnedTasks = isAfterStart(request.phase)
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard isWanted(by: request) else {
      if request.phase == .prepare, let reason = Self.limit(of: request) {
        plan.warnings.append(reason)
      }
      return plan
    }
    switch verdict(on: request, host) {
    case .unasked: break
    case .impossible(let reason):
      guard request.phase == .prepare || isAfterStart(request.phase) else { break }
      if request.policy.isolation != .auto, request.phase == .prepare {
        plan.refusals.append(Refusal(reason))
      } else {
        plan.warnings.append(reason)
      }
    case .possible(let cpus):
      guard isAfterStart(request.phase), let process = host.process else { break }
      isolate(cpus, process, request, host, &plan)
      if !plan.changes.isEmpty { plan.changes += keepTasks(request, host) }
    }
    return plan
  }

  /// The CPUs that a domain has to itself; nil where it is not isolated.
  func cpus(of request: Request, on host: HostFacts) -> CPUList? {
    guard isWanted(by: request), case .possible(let cpus) = verdict(on: request, host) else {
      return nil
    }
    return CPUList(cpus)
  }

  /// The CPUs that other tasks are kept off by `AllowedCPUs=`; nil where a partition does it, or
  /// nothing.
  func cpusOfSlices(of request: Request, on host: HostFacts) -> CPUList? {
    guard request.policy.isolation != .partition, let process = host.process,
      isWanted(by: request), case .possible(let cpus) = verdict(on: request, host),
      request.policy.isolation == .slices || threadGroups(cpus, process, request, host).isEmpty
    else { return nil }
    return CPUList(cpus)
  }

  /// Whether the domain is to be isolated, if the host can do it.
  func isWanted(by request: Request) -> Bool {
    guard request.domain.vcpus > 0 else { return false }
    switch request.policy.isolation {
    case .none: return false
    case .auto: return request.placement.oneCPUEach != nil
    case .partition, .slices: return true
    }
  }

  private enum Verdict {
    /// The CPU of each vCPU, by its number.
    case possible([Int])
    case impossible(String)
    case unasked
  }

  /// Why a domain is not isolated that is pinned to CPUs which no domain may claim.
  private static func limit(of request: Request) -> String? {
    let forbidden = request.placement.forbidden
    guard request.policy.isolation != .none,
      let limit = request.policy.limits.sentence(forbidding: forbidden)
    else { return nil }
    return
      "\(request.domain.name) cannot be isolated: it is pinned to CPU \(forbidden), which no VM "
      + "may claim (\(limit))"
  }

  private func verdict(on request: Request, _ host: HostFacts) -> Verdict {
    let name = request.domain.name
    guard let cpus = request.placement.oneCPUEach else {
      return .impossible(
        Self.limit(of: request)
          ?? "\(name) cannot be isolated: not every vCPU is pinned to one CPU of its own")
    }
    let taken = CPUList(cpus)
    let absent = taken.subtracting(host.onlineCPUs)
    guard absent.isEmpty else {
      return .impossible("\(name) cannot be isolated: CPUs \(absent) are not online")
    }
    if let rival = host.neighbours.first(where: { !$0.vcpuCPUs.isDisjoint(with: taken) }) {
      let shared = rival.vcpuCPUs.intersection(taken)
      let reason = "\(name) shares CPU \(shared) with \(rival.name), so neither can be isolated"
      // Domains may share CPUs on purpose; only who asked for isolation by name is told no.
      return request.policy.isolation == .auto && request.phase != .prepare
        ? .unasked : .impossible(reason)
    }
    let left = host.hostCPUs(without: taken)
    guard !left.isEmpty else {
      return .impossible("\(name) cannot be isolated: it would leave the host no CPU")
    }
    let count = request.policy.limits.hostCPUCount
    guard left.count >= count else {
      return .impossible(
        "\(name) cannot be isolated: it would leave the host CPU \(left), and \(counted(count, "CPU")) "
          + "stay with it (host-cpus = \(count) under [limits])")
    }
    return .possible(cpus)
  }

  private func isolate(
    _ cpus: [Int], _ process: QEMUFacts, _ request: Request, _ host: HostFacts,
    _ plan: inout Plan
  ) {
    let threads = threadGroups(cpus, process, request, host)
    switch request.policy.isolation {
    case .auto where !threads.isEmpty, .partition where !threads.isEmpty:
      partition(threads, process, request.domain, &plan)
    case .auto, .slices:
      plan.changes += slices(CPUList(cpus), request.domain, host)
    case .partition:
      plan.warnings.append(
        "\(request.domain.name) is not isolated: this kernel (\(host.kernel)) or hypervisor has no "
          + "remote cpuset partitions; isolation = \"slices\" works here")
    case .none: break
    }
  }

  /// A cgroup that can be made a partition of these CPUs.
  private struct ThreadGroup {
    var path: String
    var cpus: CPUList
    var reason: String
    /// `isolated` takes the CPUs out of load balancing, which only threads that have one CPU each
    /// can do without.
    var kind: String
  }

  /// The groups of a domain's threads that can be partitions; none where the kernel has no remote
  /// ones, or their CPUs are not all the domain's own.
  private func threadGroups(
    _ cpus: [Int], _ process: QEMUFacts, _ request: Request, _ host: HostFacts
  ) -> [ThreadGroup] {
    let name = request.domain.name
    guard host.kernel.hasRemotePartitions, let scope = process.scope else { return [] }
    if request.domain.hypervisor == .libvirt {
      guard process.canPartition else { return [] }
      return cpus.enumerated().compactMap { vcpu, cpu in
        process.vcpuGroups[vcpu].map {
          ThreadGroup(
            path: $0, cpus: [cpu], reason: "vCPU \(vcpu) of \(name) has CPU \(cpu) to itself",
            kind: "isolated")
        }
      }
    }
    guard let affinity = request.domain.proxmox?.affinity,
      reach(of: request, with: cpus).isSubset(of: affinity),
      request.policy.limits.sentence(forbidding: affinity) == nil,
      host.hostCPUs(without: affinity).count >= request.policy.limits.hostCPUCount
    else { return [] }
    return [
      ThreadGroup(
        path: scope, cpus: affinity, reason: "\(name) has CPUs \(affinity) to itself", kind: "root")
    ]
  }

  /// All CPUs that threads of a domain are pinned to by policy.
  private func reach(of request: Request, with cpus: [Int]) -> CPUList {
    let pins = request.policy.pins
    return pins.iothreads.values.reduce(CPUList(cpus).union(pins.emulator ?? [])) { $0.union($1) }
  }

  // The CPUs have to be named as exclusive all the way down before the partition that takes them
  // is made, and the kernel accepts them at a level only if the level above has them.
  private func partition(
    _ groups: [ThreadGroup], _ process: QEMUFacts, _ domain: Domain, _ plan: inout Plan
  ) {
    guard let first = groups.first else { return }
    if domain.hypervisor == .proxmox {
      // What systemd itself asks of the scope outlives whatever systemd does to it, and is what
      // turns the cpuset controller on there in the first place.
      plan.changes.append(
        Change(
          .allowedCPUs(unit: first.path),
          .exactly(.allowedCPUs(AllowedCPUs(cpus: first.cpus, hasRuntimeDropIn: true))),
          because: first.reason))
      plan.isToBeContinued = !process.canPartition
      guard process.canPartition else { return }
    }
    let taken = groups.reduce(CPUList()) { $0.union($1.cpus) }
    let reason = "the vCPUs of \(domain.name) have these CPUs to themselves"
    plan.changes += ancestors(of: first.path).map { group in
      Change(exclusive(group), .withCPUs(taken), because: reason)
    }
    for group in groups {
      plan.changes.append(
        Change(exclusive(group.path), .withCPUs(group.cpus), because: group.reason))
      plan.changes.append(
        Change(
          .attribute(path: cgroup(group.path) + "/cpuset.cpus.partition", .text),
          .exactly(.text(group.kind)), because: group.reason))
    }
  }

  private func slices(_ cpus: CPUList, _ domain: Domain, _ host: HostFacts) -> [Change] {
    let settings =
      host.units.map { Setting.allowedCPUs(unit: $0.name) }
      + host.unmanagedGroups.map { .attribute(path: cgroup($0) + "/cpuset.cpus", .cpuList) }
    return settings.map { setting in
      Change(
        setting, .withoutCPUs(cpus, all: host.possibleCPUs),
        because: "the vCPUs of \(domain.name) have CPUs \(cpus) to themselves")
    }
  }

  // A kernel thread that serves one node (kswapd, kcompactd) loses the node's CPUs when a partition
  // takes some of them, and gets all CPUs of the host when it ends; before 6.2 every task loses its
  // own CPUs with any change of its cpuset.
  private func keepTasks(_ request: Request, _ host: HostFacts) -> [Change] {
    // What is moved is put back as well.
    let moved = KernelThreads().moved(by: request, on: host)
    return host.pinnedTasks.filter { !moved.contains($0) }.map { task in
      Change(
        .affinity(task), .keep,
        because:
          "the kernel forgets this task's CPUs while \(request.domain.name) has some to itself")
    }
  }

  private func exclusive(_ group: String) -> Setting {
    .attribute(path: cgroup(group) + "/cpuset.cpus.exclusive", .cpuList)
  }

  private func cgroup(_ path: String) -> String { "/sys/fs/cgroup/" + path }

  /// The groups above one, from the top: `a`, `a/b` for `a/b/c`.
  private func ancestors(of path: String) -> [String] {
    let parts = path.fields(at: "/")
    return (1..<max(1, parts.count)).map { parts.prefix($0).joined(separator: "/") }
  }
}
