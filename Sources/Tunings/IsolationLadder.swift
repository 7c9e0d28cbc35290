internal import Bytes
internal import HostModel

/// The ways to keep everybody else off a domain's CPUs, the best first.
///
/// 1. An isolated partition of each vCPU's own cgroup. The domain's other threads leave those CPUs by
///    their `cpuset.cpus`: up to Linux 6.19 no partition can be where a group beside it may run
///    (kernel/cgroup/cpuset.c, `cpusets_are_exclusive()`).
/// 2. One partition of the group that holds all threads of the domain, with the CPUs of all of them. It
///    is of the kind `root`, as they need the scheduler to balance them. Proxmox keeps all threads in one
///    scope, which systemd does not delegate: groups of Berth's own below it would lose their controllers
///    at the scope's next property.
/// 3. Partitions of those vCPUs on whose CPUs no other thread of the domain has to run.
/// 4. Lists of CPUs for every group that is not on the way to the domain's threads.
///
/// What the kernel makes of a partition is read back, not looked up: whether it has remote ones, whether
/// it takes CPUs of `isolcpus=`, whether somebody else has them.
struct IsolationLadder {
  let aim: IsolationAim
  let process: QEMUFacts
  let request: Request
  let host: HostFacts

  static let slices = "slices"
  private static let each = "vCPU partitions"
  private static let whole = "VM partition"
  private static let some = "partitions of some vCPUs"

  private var name: String { request.domain.name }

  /// A way that can be tried, or what is missing for it.
  private enum Way {
    case open(Rung)
    case closed(Miss)
  }

  /// All ways that policy leaves, without those that this run of the domain has tried in vain.
  var ladder: Ladder {
    var ladder = Ladder(Isolation.name, ground: "pins alone")
    let earlier = request.attained.first { $0.goal == Isolation.name }?.misses ?? []
    ladder.misses = aim.obstacles.map { Miss("isolation of every vCPU", because: $0) }
    guard !aim.cpus.isEmpty else { return ladder }
    for (name, way) in ways {
      if let miss = earlier.first(where: { $0.name == name }) {
        ladder.misses.append(miss)
        continue
      }
      switch way() {
      case .open(let rung)?: ladder.rungs.append(rung)
      case .closed(let miss)?: ladder.misses.append(miss)
      case nil: break
      }
    }
    return ladder
  }

  private var ways: [(name: String, way: () -> Way?)] {
    let partitions: [(String, () -> Way?)] = [
      (Self.each, eachVCPU), (Self.whole, wholeDomain), (Self.some, someVCPUs),
    ]
    switch request.policy.isolation {
    case .auto: return partitions + [(Self.slices, everybodyElse)]
    case .partition: return partitions
    case .slices: return [(Self.slices, everybodyElse)]
    case .none: return []
    }
  }
}

// MARK: Partitions

extension IsolationLadder {
  private static let noExclusiveCPUs =
    "this kernel lets no cgroup name CPUs of its own (cpuset.cpus.exclusive)"

  /// A vCPU's own cgroup with the CPU that it is to have.
  private struct VCPUGroup {
    var vcpu: Int
    var path: String
    var cpu: Int
    /// What stays idle beside it.
    var siblings: CPUList

    var cpus: CPUList { siblings.union([cpu]) }
  }

  private var vcpuGroups: [VCPUGroup] {
    aim.alone.compactMap { vcpu, cpu in
      process.vcpuGroups[vcpu].map {
        VCPUGroup(vcpu: vcpu, path: $0, cpu: cpu, siblings: aim.cores.siblings(of: vcpu))
      }
    }
  }

  private func eachVCPU() -> Way? {
    guard request.domain.hypervisor == .libvirt, !aim.alone.isEmpty else { return nil }
    guard process.canPartition else {
      return .closed(Miss(Self.each, because: Self.noExclusiveCPUs))
    }
    let groups = vcpuGroups
    guard !groups.isEmpty else {
      return .closed(Miss(Self.each, because: "the vCPUs have no cgroups of their own"))
    }
    if let stuck = stuckThreads.first {
      return .closed(
        Miss(Self.each, because: "\(stuck.name) may run on CPUs \(stuck.cpus) only, as vCPUs do"))
    }
    return .open(Rung(Self.each, partitions(of: groups)))
  }

  private func someVCPUs() -> Way? {
    guard request.domain.hypervisor == .libvirt, process.canPartition else { return nil }
    let stuck = stuckThreads.reduce(CPUList()) { $0.union($1.cpus) }
    let groups = vcpuGroups.filter { !stuck.contains($0.cpu) }
    return stuck.isEmpty || groups.isEmpty ? nil : .open(Rung(Self.some, partitions(of: groups)))
  }

  /// The threads of the domain besides its vCPUs.
  private var helpers: [HelperThreads] { request.helpers(on: host) }

  /// Those that could not run anywhere without the vCPUs' CPUs.
  private var stuckThreads: [(name: String, cpus: CPUList)] {
    helpers.filter { helper in
      !helper.cpus.isEmpty
        && helper.cpus.intersection(host.onlineCPUs).isSubset(of: aim.cpus)
    }.map { ($0.name, $0.cpus) }
  }

  // The CPUs have to be named as exclusive all the way down before the partition that takes them
  // is made, and the kernel accepts them at a level only if the level above has them.
  private func partitions(of groups: [VCPUGroup]) -> [Change] {
    let taken = groups.reduce(CPUList()) { $0.union($1.cpus) }
    var changes = process.otherGroups.filter { !$0.cpus.isDisjoint(with: taken) }.map { group in
      Change(
        .cpuset(group: group.path), .withoutCPUs(taken, all: host.possibleCPUs),
        because: "\(group.name) of \(name) leaves the CPUs that are reserved for vCPUs")
    }
    changes += exclusive(taken, above: groups[0].path)
    for group in groups {
      // The vCPU stays on its own CPU, by its pin.
      let idle = group.siblings.isEmpty ? "" : "; its sibling \(group.siblings) stays idle"
      changes += partition(
        group.path, "isolated", group.cpus,
        because: "reserves CPU \(group.cpu) for vCPU \(group.vcpu) of \(name)\(idle)")
    }
    return changes
  }

  private func wholeDomain() -> Way? {
    let isOne = aim.alone.count == request.placement.pins.count
    guard isOne || request.policy.isolation == .partition, let home = process.home else {
      return nil
    }
    func closed(_ reason: String) -> Way { .closed(Miss(Self.whole, because: reason)) }
    guard process.canPartition else { return closed(Self.noExclusiveCPUs) }
    let cpus: CPUList
    switch reach {
    case .success(let reach): cpus = reach.union(aim.cores.cpus)
    case .failure(let miss): return .closed(miss)
    }
    if let limit = request.policy.limits.sentence(forbidding: cpus) {
      return closed("no VM may claim all of CPUs \(cpus) (\(limit))")
    }
    if let lack = IsolationAim.lack(without: cpus, request, host) { return closed(lack) }
    for rival in host.neighbours {
      let shared = rival.cpus(contesting: cpus, on: host)
      if !shared.isEmpty { return closed("\(rival.name) is on CPUs \(shared) as well") }
    }
    let reason = "reserves CPUs \(cpus) for \(name)"
    var changes: [Change] = []
    if request.domain.hypervisor == .proxmox {
      // What systemd itself asks of the scope outlives whatever systemd does to it, and is what
      // turns the cpuset controller on there in the first place.
      let allowed = AllowedCPUs(cpus: cpus, hasRuntimeDropIn: true)
      changes.append(
        Change(.allowedCPUs(unit: home), .exactly(.allowedCPUs(allowed)), because: reason))
    }
    changes += exclusive(cpus, above: home)
    // `isolated` takes the CPUs out of load balancing, which only threads that have one CPU each can do
    // without.
    return .open(
      Rung(Self.whole, changes + partition(home, "root", cpus, because: reason)))
  }

  /// All CPUs that threads of the domain may run on.
  private var reach: Result<CPUList, Miss> {
    func closed(_ reason: String) -> Result<CPUList, Miss> {
      .failure(Miss(Self.whole, because: reason))
    }
    guard request.placement.pins.allSatisfy({ $0.cpus != nil }) else {
      return closed("not every vCPU is pinned")
    }
    let vcpus = request.placement.cpus
    if request.domain.hypervisor == .proxmox {
      guard let affinity = request.domain.proxmox?.affinity else {
        return closed("its configuration has no affinity, so that its threads may run anywhere")
      }
      if AutomaticPins.isFence(request) {
        return closed(
          "its affinity \(affinity) has more CPUs than are for \(counted(vcpus.count, "vCPU"))")
      }
      // Threads without a pin of their own are on all of it.
      let reach = helpers.reduce(vcpus) { $0.union($1.cpus) }
      guard reach.isSubset(of: affinity) else {
        return closed("some of its threads are pinned outside of its affinity")
      }
      // A group takes no CPU that there cannot be.
      let there = affinity.intersection(host.possibleCPUs)
      return .success(there.isEmpty ? affinity : there)
    }
    if let free = helpers.first(where: \.cpus.isEmpty) {
      return closed("nothing pins its \(free.name)")
    }
    return .success(helpers.reduce(vcpus) { $0.union($1.cpus) })
  }

  private func partition(
    _ group: String, _ kind: String, _ cpus: CPUList, because reason: String
  ) -> [Change] {
    [
      Change(exclusive(group), .withCPUs(cpus), because: reason),
      Change(
        .attribute(path: cgroup(group) + "/cpuset.cpus.partition", .text), .exactly(.text(kind)),
        because: reason),
    ]
  }

  private func exclusive(_ cpus: CPUList, above group: String) -> [Change] {
    let reason = "reserves these CPUs for the vCPUs of \(name)"
    return ancestors(of: group).map { ancestor in
      Change(exclusive(ancestor), .withCPUs(cpus), because: reason)
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

// MARK: Everybody else

extension IsolationLadder {
  private func everybodyElse() -> Way? {
    let settings =
      host.units.map { Setting.allowedCPUs(unit: $0.name) }
      + host.unmanagedGroups.map { .cpuset(group: $0) }
    guard !settings.isEmpty else {
      return .closed(Miss(Self.slices, because: "there are no cgroups that could be confined"))
    }
    // A list that holds CPUs of somebody's partition beside it would end that, up to Linux 6.19.
    let all = host.possibleCPUs.subtracting(host.partitionedCPUs)
    let idle = aim.cores.cpus
    let changes = settings.map { setting in
      Change(
        setting, .withoutCPUs(aim.taken, all: all),
        because: "reserves CPUs \(aim.cpus) for the vCPUs of \(name)"
          + (idle.isEmpty ? "" : "; their siblings \(idle) stay idle"))
    }
    return .open(Rung(Self.slices, ownThreads(leaving: idle, all) + changes, isPartial: true))
  }

  private func ownThreads(leaving idle: CPUList, _ all: CPUList) -> [Change] {
    if idle.isEmpty { return [] }
    return process.otherGroups.filter { $0.cpus.isEmpty || !$0.cpus.isDisjoint(with: idle) }.map {
      Change(
        .cpuset(group: $0.path), .withoutCPUs(idle, all: all),
        because: "\($0.name) of \(name) leaves the CPUs that stay idle beside vCPUs")
    }
  }
}
