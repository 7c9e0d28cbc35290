/// How many points each flaw of a place costs, by what the domain is to be good at.
///
/// What matters most outweighs any sum of what matters less on all but odd hosts: one node, then
/// the devices' node, then one cache, then the kind of core, then the rest.
struct Prices: Sendable {
  /// Each node beyond the first.
  let node = 100_000
  /// Each step of distance (the kernel's 10 is the node itself) from a device or to another node.
  let distance = 200
  /// Each cache beyond one for each node.
  let cache: Int
  /// Cores whose cache is nothing beside the host's largest.
  let cacheSize: Int
  /// Cores of the slower kind.
  let efficiency: Int
  /// Each cache that another domain's vCPUs use as well.
  let sharedCache: Int
  /// Each cache that the host's own work uses as well, on a host with several.
  let hostCache: Int
  /// Each thread of a core of the domain's that has no vCPU.
  let idleThread: Int
  /// Each vCPU that has another one on its core.
  let sharedCore = 4
  /// Each of these where the guest does not know of it.
  let hiddenSibling: Int
  /// An emulator on none of the domain's nodes.
  let remoteEmulator: Int
  /// An emulator among the host's own work.
  let hostEmulator: Int
  /// Each core that another domain's emulator may use.
  let occupiedCore: Int
  /// Each vCPU on a CPU that was not set aside, on a host that has set some aside.
  let notSetAside = 25
  /// Ordinary pages on a host that offers huge ones.
  let ordinaryPages = 400
  /// Regular huge pages on a host that offers larger ones.
  let regularPages = 30
  /// Large pages that are not in the pool yet.
  let madePages = 20
  /// Memory that the page cache has to give up.
  let reclaim = 60
  /// Each vCPU that the largest cell has more than the smallest.
  let unevenCell = 5
  /// Memory that is not divided as the vCPUs are.
  let unevenMemory = 50

  init(_ goal: Goal) {
    let isLatency = goal == .latency
    cache = isLatency ? 1000 : 20
    cacheSize = isLatency ? 600 : 30
    efficiency = isLatency ? 3000 : 300
    sharedCache = isLatency ? 100 : 10
    hostCache = isLatency ? 50 : 5
    idleThread = isLatency ? 10 : 40
    hiddenSibling = isLatency ? 30 : 8
    remoteEmulator = isLatency ? 300 : 100
    hostEmulator = isLatency ? 20 : 5
    occupiedCore = isLatency ? 200 : 60
  }
}
