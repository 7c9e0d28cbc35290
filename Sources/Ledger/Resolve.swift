package import HostModel

/// Why claims on one setting cannot all be met.
package enum ResolveError: Error, Hashable, Sendable {
  /// Two claims want what cannot be had together.
  case conflict
  /// The claims would leave the setting without any CPU.
  case noCPULeft
  /// A claim does not fit what the setting holds.
  case unfit
}

extension Entry {
  /// What is to stand in the setting: a function of its original and of its claims, whatever
  /// their order.
  ///
  /// Of a shared setting it is the share that Berth is to have, whatever others keep there.
  package func resolved() throws(ResolveError) -> Value {
    if setting.isShared, claims.isEmpty { return .count(0) }
    return try resolve(original, with: claims.map(\.claim))
  }
}

/// What is to stand in a setting that held `original` when nobody claimed it.
package func resolve(_ original: Value, with claims: [Claim]) throws(ResolveError) -> Value {
  let isLent = claims.contains { if case .lent = $0 { true } else { false } }
  let claims = claims.filter { !$0.isPassive }
  guard let first = claims.first else { return original }
  // What a hypervisor puts there by itself cannot be another domain's at the same time.
  if isLent { throw .conflict }
  switch first {
  case .exactly, .alone: return try oneValue(of: claims)
  case .withoutCPUs, .withCPUs: return try cpus(of: original, with: claims)
  case .more: return .count(try sum(of: claims))
  case .atLeast, .atMost: return try bounded(original, by: claims)
  case .keep, .lent: return original
  }
}

private func oneValue(of claims: [Claim]) throws(ResolveError) -> Value {
  var wanted: Value?
  for claim in claims {
    switch claim {
    case .alone(let value) where claims.count == 1: return value
    case .exactly(let value) where wanted == nil || wanted == value: wanted = value
    default: throw .conflict
    }
  }
  guard let wanted else { throw .conflict }
  return wanted
}

private func cpus(of original: Value, with claims: [Claim]) throws(ResolveError) -> Value {
  var taken = CPUList()
  var added = CPUList()
  var all = CPUList()
  for claim in claims {
    switch claim {
    case .withoutCPUs(let cpus, let everything):
      taken = taken.union(cpus)
      all = all.union(everything)
    case .withCPUs(let cpus): added = added.union(cpus)
    default: throw .conflict
    }
  }
  func changed(_ cpus: CPUList) -> CPUList {
    (cpus.isEmpty ? all : cpus).subtracting(taken).union(added)
  }
  switch original {
  case .cpus(let cpus) where !changed(cpus).isEmpty: return .cpus(changed(cpus))
  case .cpus where !changed(all).isEmpty: return .cpus(changed(all))
  case .allowedCPUs(let allowed) where !changed(allowed.cpus).isEmpty:
    return .allowedCPUs(AllowedCPUs(cpus: changed(allowed.cpus), hasRuntimeDropIn: true))
  case .cpus, .allowedCPUs: throw .noCPULeft
  default: throw .unfit
  }
}

private func sum(of claims: [Claim]) throws(ResolveError) -> Int {
  var sum = 0
  for claim in claims {
    guard case .more(let count, _) = claim else { throw .conflict }
    sum += count
  }
  return sum
}

private func bounded(_ original: Value, by claims: [Claim]) throws(ResolveError) -> Value {
  var number: Int
  switch original {
  case .count(let count): number = count
  case .text(let text):
    guard let count = Int(text) else { throw .unfit }
    number = count
  default: throw .unfit
  }
  var floor = Int.min
  var ceiling = Int.max
  for claim in claims {
    switch claim {
    case .atLeast(let bound): floor = max(floor, bound)
    case .atMost(let bound): ceiling = min(ceiling, bound)
    default: throw .conflict
    }
  }
  if floor > ceiling { throw .conflict }
  number = min(max(number, floor), ceiling)
  if case .text = original { return .text("\(number)") }
  return .count(number)
}
