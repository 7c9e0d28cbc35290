internal import Bytes
internal import HostModel

/// The threads of a domain's cores that no vCPU is pinned to, which are kept idle while it runs.
///
/// What a sibling runs takes its share of the core's units and caches from the vCPU beside it, and an
/// interrupt there stalls both. Nobody is told to leave a thread that he needs: one that somebody is
/// pinned to, or that a thread of the domain's own could not do without, stays as it is.
struct WholeCores {
  /// What stays idle, core by core, and the vCPUs beside it.
  private(set) var idle: [(cpus: CPUList, beside: CPUList)] = []
  /// Why other threads are left to whoever runs there.
  private(set) var misses: [Miss] = []

  static let goal = "whole cores"

  /// All that stays idle.
  var cpus: CPUList { idle.reduce(CPUList()) { $0.union($1.cpus) } }

  init() {}

  /// The siblings of the CPUs that the domain has to itself, some of them for one vCPU each.
  init(
    around taken: CPUList, alone: [(vcpu: Int, cpu: Int)], _ request: Request, _ host: HostFacts
  ) {
    guard request.policy.cpu.keepsWholeCores else { return }
    for core in host.cores where !core.isDisjoint(with: taken) {
      let siblings = core.subtracting(taken)
      if siblings.isEmpty { continue }
      let here = alone.filter { core.contains($0.cpu) }.map(\.vcpu)
      let sharing = request.placement.pins.filter { $0.cpus?.isDisjoint(with: core) == false }
      idle.append((siblings, CPUList(here.isEmpty ? sharing.map(\.vcpu) : here)))
    }
    leaveWhatOthersNeed(taken, request, host)
    if let lack = IsolationAim.lack(without: taken.union(cpus), request, host) {
      give(up: cpus, because: lack)
    }
  }

  private mutating func leaveWhatOthersNeed(
    _ taken: CPUList, _ request: Request, _ host: HostFacts
  ) {
    let name = request.domain.name
    give(up: request.placement.cpus, because: "another vCPU of \(name) is pinned there")
    for rival in host.neighbours {
      give(up: rival.ownCPUs, because: "\(rival.name) is there")
    }
    if let limit = request.policy.limits.sentence(forbidding: cpus) {
      give(
        up: request.policy.limits.forbidden(among: cpus),
        because: "no VM may claim it (\(limit))")
    }
    let free = host.onlineCPUs.subtracting(taken)
    for helper in request.helpers(on: host) where !helper.cpus.isEmpty {
      let places = helper.cpus.intersection(free)
      guard places.isSubset(of: cpus) else { continue }
      give(up: places, because: "\(helper.name) of \(name) has to run there")
    }
  }

  private mutating func give(up cpus: CPUList, because reason: String) {
    for index in idle.indices {
      let lost = idle[index].cpus.intersection(cpus)
      if lost.isEmpty { continue }
      let what = "idle CPU \(lost) beside \(vcpuPhrase(idle[index].beside))"
      misses.append(Miss(what, because: reason))
      idle[index].cpus = idle[index].cpus.subtracting(lost)
    }
    idle.removeAll(where: \.cpus.isEmpty)
  }

  /// What of it stays idle beside one vCPU's CPU.
  func siblings(of vcpu: Int) -> CPUList {
    // Those of a core are kept once, however many vCPUs are on it.
    idle.first { $0.beside.first == vcpu }?.cpus ?? []
  }

  /// What the domain has of it where others are kept off some CPUs; nil where all its cores are its
  /// vCPUs', or nobody asked.
  ///
  /// The way that keeps them off has the changes.
  func ladder(within kept: CPUList) -> Ladder? {
    if idle.isEmpty, misses.isEmpty { return nil }
    var whole = self
    whole.give(up: cpus.subtracting(kept), because: "nothing keeps others off it")
    var ladder = Ladder(Self.goal, ground: "whoever runs there")
    ladder.misses = whole.misses
    let cpus = whole.cpus
    if cpus.isEmpty { return ladder }
    let beside = whole.idle.reduce(CPUList()) { $0.union($1.beside) }
    ladder.rungs = [
      Rung("idle CPU\(cpus.count == 1 ? "" : "s") \(cpus) beside \(vcpuPhrase(beside))", [])
    ]
    return ladder
  }
}

private func vcpuPhrase(_ vcpus: CPUList) -> String {
  "vCPU\(vcpus.count == 1 ? "" : "s") \(vcpus)"
}

/// A thread of a domain's that is no vCPU, and its kin.
struct HelperThreads {
  /// `emulator`, `iothread1`.
  var name: String
  /// Their cgroup under the cgroup mount; nil where they have none of their own.
  var group: String?
  /// The CPUs that somebody has named for them; none where nobody has.
  var cpus: CPUList
}

extension Request {
  /// The domain's threads that are no vCPUs, as its cgroups or else its configuration tell.
  func helpers(on host: HostFacts) -> [HelperThreads] {
    let process = host.process ?? .expected(for: domain)
    let pins = policy.pins
    let groups = process.otherGroups.map { group in
      let named =
        group.name == "emulator"
        ? pins.emulator : group.name.number(after: "iothread").flatMap { pins.iothreads[$0] }
      return HelperThreads(
        name: group.name, group: group.path, cpus: group.cpus.isEmpty ? named ?? [] : group.cpus)
    }
    if !groups.isEmpty { return groups }
    return [HelperThreads(name: "emulator", group: nil, cpus: pins.emulator ?? [])]
      + domain.iothreadIDs.map {
        HelperThreads(name: "iothread\($0)", group: nil, cpus: pins.iothreads[$0] ?? [])
      }
  }
}

extension Rung {
  /// The CPUs that it keeps others off.
  var takenCPUs: CPUList {
    changes.reduce(CPUList()) { taken, change in
      switch change.claim {
      case .withCPUs(let cpus), .withoutCPUs(let cpus, _): taken.union(cpus)
      default: taken
      }
    }
  }
}
