internal import HostModel

/// Keeps all other tasks of the host off the CPUs of a domain's vCPUs.
///
/// By an isolated cpuset partition on each vCPU's own cgroup where the kernel has remote
/// partitions: the kernel then takes the CPU from every other task, from unbound workqueues and
/// from load balancing, and gives it back by itself when the cgroup goes
/// (Documentation/admin-guide/cgroup-v2.rst, “cpuset.cpus.partition”). Else by `AllowedCPUs=` on
/// the units that hold the host's tasks.
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
    guard isWanted(by: request) else { return plan }
    switch verdict(on: request, host) {
    case .unasked: break
    case .impossible(let reason):
      guard request.phase == .prepare || isAfterStart(request.phase) else { break }
      if request.policy.isolation == .auto {
        plan.warnings.append(reason)
      } else if request.phase == .prepare {
        plan.refusals.append(Refusal(reason))
      }
    case .possible(let cpus):
      guard isAfterStart(request.phase), let process = host.process else { break }
      isolate(cpus, process, request, host, &plan)
      if !plan.changes.isEmpty { plan.changes += keepTasks(request.domain, host) }
    }
    return plan
  }

  private func isWanted(by request: Request) -> Bool {
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

  private func verdict(on request: Request, _ host: HostFacts) -> Verdict {
    let name = request.domain.name
    guard let cpus = request.placement.oneCPUEach else {
      return .impossible(
        "\(name) cannot be isolated: not every vCPU is pinned to one CPU of its own")
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
    guard !host.housekeepingCPUs(without: taken).isEmpty else {
      return .impossible("\(name) cannot be isolated: it would leave the host no CPU")
    }
    return .possible(cpus)
  }

  private func isolate(
    _ cpus: [Int], _ process: QEMUFacts, _ request: Request, _ host: HostFacts,
    _ plan: inout Plan
  ) {
    let canPartition = Self.canPartition(process, host)
    switch request.policy.isolation {
    case .auto where canPartition, .partition where canPartition:
      plan.changes += partition(cpus, process, request.domain)
    case .auto, .slices:
      plan.changes += slices(CPUList(cpus), request.domain, host)
    case .partition:
      plan.warnings.append(
        "\(request.domain.name) is not isolated: this kernel (\(host.kernel)) or hypervisor has no "
          + "remote cpuset partitions; isolation = \"slices\" works here")
    case .none: break
    }
  }

  /// Whether remote partitions work: before 6.11 every ancestor would need a `cpuset.cpus` of its
  /// own that holds the CPUs, and systemd empties those at a reload.
  static func canPartition(_ process: QEMUFacts, _ host: HostFacts) -> Bool {
    process.canPartition && process.scope != nil && !process.vcpuGroups.isEmpty
      && host.kernel >= KernelVersion(major: 6, minor: 11)
  }

  // The CPUs have to be named as exclusive all the way down before the partition that takes them
  // is made, and the kernel accepts them at a level only if the level above has them.
  private func partition(_ cpus: [Int], _ process: QEMUFacts, _ domain: Domain) -> [Change] {
    let groups = cpus.enumerated().compactMap { vcpu, cpu in
      process.vcpuGroups[vcpu].map { (vcpu: vcpu, cpu: cpu, path: $0) }
    }
    guard let first = groups.first else { return [] }
    let taken = CPUList(groups.map(\.cpu))
    let reason = "the vCPUs of \(domain.name) have these CPUs to themselves"
    var changes = ancestors(of: first.path).map { group in
      Change(exclusive(group), .withCPUs(taken), because: reason)
    }
    for group in groups {
      let reason = "vCPU \(group.vcpu) of \(domain.name) has CPU \(group.cpu) to itself"
      changes.append(Change(exclusive(group.path), .withCPUs([group.cpu]), because: reason))
      changes.append(
        Change(
          .attribute(path: cgroup(group.path) + "/cpuset.cpus.partition", .text),
          .exactly(.text("isolated")), because: reason))
    }
    return changes
  }

  private func slices(_ cpus: CPUList, _ domain: Domain, _ host: HostFacts) -> [Change] {
    host.units.map { unit in
      Change(
        .allowedCPUs(unit: unit.name), .withoutCPUs(cpus, all: host.possibleCPUs),
        because: "the vCPUs of \(domain.name) have CPUs \(cpus) to themselves")
    }
  }

  // A kernel thread that serves one node (kswapd, kcompactd) loses the node's CPUs when a partition
  // takes some of them, and gets all CPUs of the host when it ends; before 6.2 every task loses its
  // own CPUs with any change of its cpuset.
  private func keepTasks(_ domain: Domain, _ host: HostFacts) -> [Change] {
    host.pinnedTasks.map { task in
      Change(
        .affinity(task), .keep,
        because: "the kernel forgets this task's CPUs while \(domain.name) has some to itself")
    }
  }

  private func exclusive(_ group: String) -> Setting {
    .attribute(path: cgroup(group) + "/cpuset.cpus.exclusive", .cpuList)
  }

  private func cgroup(_ path: String) -> String { "/sys/fs/cgroup/" + path }

  /// The groups above one, from the top: `a`, `a/b` for `a/b/c`.
  private func ancestors(of path: String) -> [String] {
    let parts = path.split(separator: "/")
    return (1..<max(1, parts.count)).map { parts.prefix($0).joined(separator: "/") }
  }
}
