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
    return try claims.demand().applied(to: original)
  }
}

/// What is to stand in a setting that held `original` when nobody claimed it.
package func resolve(_ original: Value, with claims: [Claim]) throws(ResolveError) -> Value {
  try Demand.sum(of: claims).get().applied(to: original)
}

/// What claims on one setting come to, whatever its original is.
enum Demand: Hashable, Sendable {
  /// The original.
  case nothing
  /// This value; `isAlone` where no other claim may stand beside it.
  case value(Value, isAlone: Bool)
  /// The original less some CPUs, and with some more; `all` is what an original without CPUs
  /// stands for.
  case cpus(less: CPUList, more: CPUList, all: CPUList)
  case count(Int)
  /// The original, or the bound that it is beyond.
  case bounds(least: Int, greatest: Int)

  static func sum(of claims: some Sequence<Claim>) -> Result<Demand, ResolveError> {
    do throws(ResolveError) {
      var demand = Demand.nothing
      var isLent = false
      for claim in claims {
        if case .lent = claim { isLent = true }
        demand = try demand.adding(claim)
      }
      // What a hypervisor puts there by itself cannot be another VM's at the same time.
      return isLent && demand != .nothing ? .failure(.conflict) : .success(demand)
    } catch {
      return .failure(error)
    }
  }

  private func adding(_ claim: Claim) throws(ResolveError) -> Demand {
    switch claim {
    case .keep, .lent: return self
    case .exactly(let value):
      if case .value(value, isAlone: false) = self { return self }
      guard self == .nothing else { throw .conflict }
      return .value(value, isAlone: false)
    case .alone(let value):
      guard self == .nothing else { throw .conflict }
      return .value(value, isAlone: true)
    case .withoutCPUs(let cpus, let everything):
      let (less, more, all) = try self.cpus()
      return .cpus(less: less.union(cpus), more: more, all: all.union(everything))
    case .withCPUs(let cpus):
      let (less, more, all) = try self.cpus()
      return .cpus(less: less, more: more.union(cpus), all: all)
    case .more(let count, _):
      guard case .count(let before) = self == .nothing ? .count(0) : self else { throw .conflict }
      let (sum, isTooGreat) = before.addingReportingOverflow(count)
      if isTooGreat { throw .unfit }
      return .count(sum)
    case .atLeast(let bound):
      let (least, greatest) = try bounds()
      return .bounds(least: max(least, bound), greatest: greatest)
    case .atMost(let bound):
      let (least, greatest) = try bounds()
      return .bounds(least: least, greatest: min(greatest, bound))
    }
  }
}

extension Demand {
  private func cpus() throws(ResolveError) -> (less: CPUList, more: CPUList, all: CPUList) {
    switch self {
    case .nothing: return ([], [], [])
    case .cpus(let less, let more, let all): return (less, more, all)
    default: throw .conflict
    }
  }

  private func bounds() throws(ResolveError) -> (least: Int, greatest: Int) {
    switch self {
    case .nothing: return (.min, .max)
    case .bounds(let least, let greatest): return (least, greatest)
    default: throw .conflict
    }
  }

  /// What is to stand where `original` stood.
  func applied(to original: Value) throws(ResolveError) -> Value {
    switch self {
    case .nothing: return original
    case .value(let value, _): return value
    case .count(let count): return .count(count)
    case .bounds(let least, let greatest):
      return try Self.bounded(original, least: least, greatest: greatest)
    case .cpus(let less, let more, let all):
      return try Self.changed(original, less: less, more: more, all: all)
    }
  }

  private static func changed(
    _ original: Value, less: CPUList, more: CPUList, all: CPUList
  ) throws(ResolveError) -> Value {
    func changed(_ cpus: CPUList) -> CPUList {
      (cpus.isEmpty ? all : cpus).subtracting(less).union(more)
    }
    switch original {
    case .cpus(let cpus):
      let own = changed(cpus)
      let left = own.isEmpty ? changed(all) : own
      if left.isEmpty { throw .noCPULeft }
      return .cpus(left)
    case .allowedCPUs(let allowed):
      let left = changed(allowed.cpus)
      if left.isEmpty { throw .noCPULeft }
      return .allowedCPUs(AllowedCPUs(cpus: left, hasRuntimeDropIn: true))
    default: throw .unfit
    }
  }

  private static func bounded(
    _ original: Value, least: Int, greatest: Int
  ) throws(ResolveError) -> Value {
    let number: Int
    switch original {
    case .count(let count): number = count
    case .text(let text):
      guard let count = Int(text) else { throw .unfit }
      number = count
    default: throw .unfit
    }
    if least > greatest { throw .conflict }
    let value = min(max(number, least), greatest)
    if case .text = original { return .text("\(value)") }
    return .count(value)
  }
}
