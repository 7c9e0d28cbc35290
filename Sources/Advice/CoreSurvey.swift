internal import HostModel

/// Puts the cores of a host together out of its CPUs, and finds out who has them.
struct CoreSurvey {
  private(set) var cores: [Premises.Core] = []
  private(set) var caches: [Premises.Cache] = []
  /// By the CPU's number; nil for one that is not online.
  private(set) var coreOfCPU: [Int?] = []
  private var cacheOfKey: [CacheKey: Int] = [:]
  private let tenants: [Tenant]
  private let online: CPUList
  private let isolated: CPUList
  private let setAside: CPUList

  private struct CacheKey: Hashable {
    var node: Int?
    var l3: CPUList?
    var package: Int?
  }

  init(tenants: [Tenant], online: CPUList, isolated: CPUList, setAside: CPUList) {
    self.tenants = tenants
    self.online = online
    self.isolated = isolated
    self.setAside = setAside
    let last = online.reduce(-1) { max($0, $1) }
    coreOfCPU = Array(repeating: nil, count: last + 1)
  }

  /// Adds the core of a CPU that is online, unless a sibling has brought it already.
  mutating func note(_ cpu: TopologyCPU) {
    guard online.contains(cpu.id), coreOfCPU[cpu.id] == nil else { return }
    let threads = cpu.siblings.union([cpu.id]).filter {
      online.contains($0) && coreOfCPU[$0] == nil
    }
    for thread in threads { coreOfCPU[thread] = cores.count }
    let list = CPUList(threads)
    var core = Premises.Core(
      threads: threads, node: cpu.node, cache: cache(of: cpu, list), kind: cpu.kind, use: .free,
      isOccupied: false, isSetAside: list.isSubset(of: setAside))
    if !isolated.isDisjoint(with: list) { core.use = .isolated }
    core.take(list, by: tenants)
    if cpu.node == nil { core.use = .homeless }
    cores.append(core)
  }

  /// The position of the cache of a CPU whose core has these threads; without a third-level cache,
  /// what is of one node and package counts as one.
  private mutating func cache(of cpu: TopologyCPU, _ threads: CPUList) -> Int {
    let key = CacheKey(node: cpu.node, l3: cpu.l3, package: cpu.l3 == nil ? cpu.package : nil)
    let index = cacheOfKey[key] ?? caches.count
    if index == caches.count {
      cacheOfKey[key] = index
      caches.append(Premises.Cache(cpus: cpu.l3 ?? [], kiB: cpu.l3KiB, isReal: cpu.l3 != nil))
    }
    if cpu.l3 == nil { caches[index].cpus = caches[index].cpus.union(threads) }
    return index
  }

  /// Leaves the host the cores of its CPUs, and notes who uses which cache.
  mutating func keepHousekeeping(_ hostCPUs: CPUList) {
    let kept = hostCPUs.isEmpty ? firstCore.map { [$0] } ?? [] : freeCores(of: hostCPUs)
    for core in kept { cores[core].use = .housekeeping }
    let host = CPUList(kept.flatMap { cores[$0].threads })
    for index in caches.indices {
      let cpus = caches[index].cpus
      caches[index].isHosts = !cpus.isDisjoint(with: host)
      caches[index].isShared = tenants.contains { !cpus.isDisjoint(with: $0.vcpus) }
    }
  }
}

extension CoreSurvey {
  /// The core of the first CPU, which the kernel cannot do without; where it is gone already, the first one that
  /// is left.
  private var firstCore: Int? {
    if let first = cores.first, first.use == .free || first.use == .homeless { return 0 }
    return cores.firstIndex { $0.use == .free && !$0.isSetAside }
      ?? cores.firstIndex { $0.use == .free }
  }

  private func freeCores(of cpus: CPUList) -> [Int] {
    Set(cpus.compactMap { coreOfCPU.indices.contains($0) ? coreOfCPU[$0] : nil }).sorted()
      .filter { cores[$0].use == .free || cores[$0].use == .homeless }
  }
}

extension Premises.Core {
  /// Notes whose threads are pinned to the core, which has these CPUs.
  ///
  /// An emulator that may use many cores finds another one; one that has hardly any other does not.
  fileprivate mutating func take(_ cpus: CPUList, by tenants: [Tenant]) {
    if let holder = tenants.first(where: { !$0.vcpus.isDisjoint(with: cpus) }) {
      use = .tenant(holder.name)
      return
    }
    for tenant in tenants where !tenant.service.isDisjoint(with: cpus) {
      isOccupied = true
      if use == .free, tenant.service.count <= 2 * cpus.count { use = .service(tenant.name) }
    }
  }
}
