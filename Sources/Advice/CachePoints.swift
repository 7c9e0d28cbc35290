internal import HostModel

/// What it costs to be in caches, in parts that are the same for whoever looks for a place and for
/// whoever judges it.
extension Premises {
  /// All parts for so many vCPUs in each of these caches, of which so many are free of charge.
  func cachePoints(_ uses: [(cache: Int, vcpus: Int)], beyond free: Int, at prices: Prices) -> Int {
    let caches = uses.map(\.cache)
    return countPoints(caches, beyond: free, at: prices) + sizePoints(uses, at: prices)
      + sharedPoints(caches, at: prices) + hostPoints(caches, at: prices)
  }

  func countPoints(_ caches: [Int], beyond free: Int, at prices: Prices) -> Int {
    let isReal = caches.contains { self.caches[$0].isReal }
    return isReal ? prices.cache * max(0, caches.count - free) : 0
  }

  /// For what the caches lack to the host's largest one.
  func sizePoints(_ uses: [(cache: Int, vcpus: Int)], at prices: Prices) -> Int {
    let vcpus = uses.reduce(0) { $0 + $1.vcpus }
    guard largestCacheKiB > 0, vcpus > 0 else { return 0 }
    let lack = uses.reduce(0) { sum, use in
      sum + (largestCacheKiB - (caches[use.cache].kiB ?? largestCacheKiB)) * use.vcpus
    }
    return prices.cacheSize * lack / (largestCacheKiB * vcpus)
  }

  func sharedPoints(_ caches: [Int], at prices: Prices) -> Int {
    prices.sharedCache * caches.count { self.caches[$0].isShared && self.caches[$0].isReal }
  }

  /// Nothing on a host of one cache, where there is no choice.
  func hostPoints(_ caches: [Int], at prices: Prices) -> Int {
    guard self.caches.count(where: \.isReal) > 1 else { return 0 }
    return prices.hostCache * caches.count { self.caches[$0].isHosts && self.caches[$0].isReal }
  }
}
