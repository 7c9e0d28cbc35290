internal import Bytes
internal import HostModel

/// Keeps all other tasks of the host off the CPUs of a domain's vCPUs.
///
/// Each vCPU that has a CPU of its own gets that to itself; those that share CPUs go on sharing them. It
/// is done by the best way that the host grants, see `IsolationLadder`: a cpuset partition, which the
/// kernel takes from every other task, from unbound workqueues and from load balancing, and gives back
/// by itself when its cgroup goes (Documentation/admin-guide/cgroup-v2.rst, “cpuset.cpus.partition”);
/// else lists of CPUs for all groups that hold other tasks.
struct Isolation: Tuning {
  static let name = "isolation"

  func servesGuest(in phase: Phase) -> Bool { true }

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    needs.cpus = request.phase == .prepare && AutomaticPins.areWanted(by: request)
    guard isWanted(by: request), request.phase == .prepare || isAfterStart(request.phase) else {
      return needs
    }
    needs.cpus = true
    needs.otherQEMUs = true
    needs.cores = request.policy.cpu.keepsWholeCores
    // Whoever has not asked by name is not refused, and can be told later.
    needs.cpusets = isAfterStart(request.phase) || request.policy.isolation != .auto
    needs.units = isAfterStart(request.phase)
    needs.process = isAfterStart(request.phase)
    needs.pinnedTasks = isAfterStart(request.phase)
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    if request.phase == .prepare, request.policy.isolation != .none,
      let objection = AutomaticPins.objection(to: request, on: host)
    {
      plan.warnings.append(objection)
    }
    if request.phase == .prepare, let absence = AutomaticPins.absence(of: request, on: host) {
      plan.warnings.append(absence)
    }
    if request.phase == .prepare, let fence = AutomaticPins.remarkOnFence(of: request) {
      plan.notes.append(fence)
    }
    if isAfterStart(request.phase) { plan.notes += sharing(in: request) }
    guard isWanted(by: request) else {
      if request.phase == .prepare, let limit = IsolationAim.limit(of: request) {
        plan.warnings.append(limit)
      }
      return plan
    }
    let aim = IsolationAim(request, host)
    if request.phase == .prepare {
      if request.policy.isolation == .auto {
        plan.warnings += aim.obstacles
      } else {
        plan.refusals += aim.obstacles.map { Refusal($0) }
      }
    } else if isAfterStart(request.phase), let process = host.process {
      isolate(aim, process, request, host, &plan)
    }
    return plan
  }

  /// The CPUs that a domain is to have to itself, with those that stay idle beside them; nil where it is
  /// not isolated.
  func cpus(of request: Request, on host: HostFacts) -> CPUList? {
    guard isWanted(by: request) else { return nil }
    let cpus = IsolationAim(request, host).taken
    return cpus.isEmpty ? nil : cpus
  }

  /// The CPUs that other tasks are kept off by lists of theirs; nil where a partition does it, or
  /// nothing.
  func cpusOfSlices(of request: Request, on host: HostFacts) -> CPUList? {
    guard isWanted(by: request), let process = host.process else { return nil }
    let aim = IsolationAim(request, host)
    let ladder = IsolationLadder(aim: aim, process: process, request: request, host: host).ladder
    return ladder.rungs.first?.name == IsolationLadder.slices ? aim.taken : nil
  }

  /// Whether the domain is to be isolated, if the host can do it.
  func isWanted(by request: Request) -> Bool {
    guard request.domain.vcpus > 0 else { return false }
    switch request.policy.isolation {
    case .none: return false
    case .auto: return !request.placement.alone.isEmpty
    case .partition, .slices: return true
    }
  }

  /// What vCPUs share CPUs with others though some of the domain's are pinned, and why, for whoever asks
  /// for the plan.
  private func sharing(in request: Request) -> [String] {
    guard request.policy.isolation != .none, !request.placement.cpus.isEmpty else { return [] }
    return request.placement.sharing(of: request.domain.name)
  }

  private func isolate(
    _ aim: IsolationAim, _ process: QEMUFacts, _ request: Request, _ host: HostFacts,
    _ plan: inout Plan
  ) {
    let ladder = IsolationLadder(aim: aim, process: process, request: request, host: host).ladder
    plan.append(ladder)
    if let cores = aim.cores.ladder(within: ladder.rungs.first?.takenCPUs ?? []) {
      plan.append(cores)
      plan.notes += cores.rungs.map { "\(cores.goal) of \(request.domain.name): \($0.name)" }
      plan.notes += cores.misses.map { "\(cores.goal) of \(request.domain.name): \($0)" }
    }
    if let best = ladder.rungs.first {
      plan.changes += keepTasks(request, host)
      let ways = ladder.rungs.dropFirst().map(\.name) + [ladder.ground]
      plan.notes.append(
        "isolation of \(request.domain.name): by \(best.name); if the host refuses that: "
          + ways.joined(separator: ", then "))
    } else if request.policy.isolation != .auto || aim.isRefused, request.attained.isEmpty {
      let misses = ladder.misses.map(\.description).joined(separator: "; ")
      plan.warnings.append("\(request.domain.name) is not isolated: \(misses)")
    }
    plan.notes += ladder.misses.map { "isolation of \(request.domain.name): \($0)" }
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
          "the partition resets this task's affinity; restored afterwards")
    }
  }
}

/// What isolation of a domain comes to on a host, whichever way it is done.
struct IsolationAim {
  /// The vCPUs that are to have a CPU to themselves, with that.
  private(set) var alone: [(vcpu: Int, cpu: Int)] = []
  /// The CPUs that everybody else is to be kept off.
  private(set) var cpus: CPUList = []
  /// What stays idle of their cores.
  private(set) var cores = WholeCores()
  /// What the host has against isolating some of the vCPUs, or all, as sentences.
  private(set) var obstacles: [String] = []
  /// Whether the host or its policy is against it, and not only somebody who has the same CPUs.
  private(set) var isRefused = false

  init(_ request: Request, _ host: HostFacts) {
    let name = request.domain.name
    if let limit = Self.limit(of: request) {
      obstacles.append(limit)
      isRefused = true
    }
    guard host.cpusets == .unified else {
      isRefused = true
      obstacles = [
        "\(name) cannot be isolated: the cpusets of this host are those of cgroup v1; boot it with "
          + "systemd.unified_cgroup_hierarchy=1"
      ]
      return
    }
    let pinned = request.placement
    var kept: [(obstacle: Obstacle, vcpus: CPUList, cpus: CPUList)] = []
    let wished = CPUList(pinned.alone.map(\.cpu))
    // A CPU that goes offline under a domain that runs is expected back.
    let reachable = request.phase == .reconnect ? host.possibleCPUs : host.onlineCPUs
    for (vcpu, cpu) in pinned.alone {
      guard let obstacle = Self.obstacle(to: cpu, among: wished, reachable, on: host) else {
        alone.append((vcpu, cpu))
        continue
      }
      let index = kept.firstIndex { $0.obstacle == obstacle } ?? kept.endIndex
      if index == kept.endIndex { kept.append((obstacle, [], [])) }
      kept[index].vcpus.insert(vcpu)
      kept[index].cpus.insert(cpu)
    }
    obstacles += kept.map { Self.sentence(about: $0.vcpus, of: name, $0.cpus, $0.obstacle) }
    cpus = CPUList(alone.map(\.cpu))
    let isForAll =
      request.policy.isolation == .slices || request.policy.isolation == .partition && alone.isEmpty
    if isForAll {
      // Who asks by name has the CPUs of all pins, whether vCPUs share them or not.
      cpus = pinned.cpus.intersection(reachable)
      for rival in host.neighbours {
        let shared = rival.cpus(contesting: cpus, on: host)
        if shared.isEmpty { continue }
        cpus = cpus.subtracting(shared)
        if shared.isSubset(of: wished) { continue }
        obstacles.append(
          "\(name) is not isolated on CPUs \(shared): \(rival.name) is there as well")
      }
    }
    if cpus.isEmpty, obstacles.isEmpty {
      let reasons = pinned.sharing(of: name).joined(separator: "; ")
      obstacles = ["\(name) cannot be isolated: \(reasons.isEmpty ? "it has no vCPU" : reasons)"]
    }
    if let lack = Self.lack(without: cpus, request, host) {
      obstacles.append("\(name) cannot be isolated: \(lack)")
      isRefused = true
      (alone, cpus) = ([], [])
    }
    cores = WholeCores(around: cpus, alone: alone, request, host)
  }

  /// All CPUs that others are kept off: those of the vCPUs, and what stays idle beside them.
  var taken: CPUList { cpus.union(cores.cpus) }

  /// Why a domain is not isolated that is pinned to CPUs which no domain may claim.
  static func limit(of request: Request) -> String? {
    let forbidden = request.placement.forbidden
    guard request.policy.isolation != .none,
      let limit = request.policy.limits.sentence(forbidding: forbidden)
    else { return nil }
    return
      "\(request.domain.name) cannot be isolated: it is pinned to CPU \(forbidden), which no VM "
      + "may claim (\(limit))"
  }

  /// What the host would lack without some CPUs, as a clause; nil where it can do without.
  static func lack(without cpus: CPUList, _ request: Request, _ host: HostFacts) -> String? {
    if cpus.isEmpty { return nil }
    let left = host.hostCPUs(without: cpus)
    if left.isEmpty { return "it would leave the host no CPU" }
    let count = request.policy.limits.hostCPUCount
    if left.count >= count { return nil }
    return "it would leave the host CPU \(left), and \(counted(count, "CPU")) "
      + "are kept for it (host-cpus = \(count) under [limits])"
  }

  /// What keeps a CPU from being one vCPU's alone; nil for nothing.
  private static func obstacle(
    to cpu: Int, among cpus: CPUList, _ reachable: CPUList, on host: HostFacts
  ) -> Obstacle? {
    if !reachable.contains(cpu) { return .offline }
    for rival in host.neighbours {
      if rival.cpus(contesting: cpus, on: host).contains(cpu) { return .rival(rival.name) }
      if rival.isolatedCPUs.contains(cpu) { return .owner(rival.name) }
    }
    return nil
  }

  private enum Obstacle: Equatable {
    case offline
    case rival(String)
    /// Somebody has it to himself, and none of his vCPUs there.
    case owner(String)
  }

  /// That some vCPUs are not isolated, as their CPUs are offline or another domain's as well.
  private static func sentence(
    about vcpus: CPUList, of name: String, _ cpus: CPUList, _ obstacle: Obstacle
  ) -> String {
    let isOne = vcpus.count == 1
    let (number, verb) = isOne ? ("", "is") : ("s", "are")
    let who = "vCPU\(number) \(vcpus) of \(name) \(verb) not isolated: "
    let places = "CPU\(number) \(cpus)"
    switch obstacle {
    case .offline: return who + "\(places) \(verb) not online"
    case .rival(let rival): return who + "\(rival) is on \(places) as well"
    case .owner(let owner): return who + "\(owner) keeps \(places) for itself"
    }
  }
}
