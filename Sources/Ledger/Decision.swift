internal import HostModel

extension Value {
  /// Whether a write that was cut short can have left this value.
  ///
  /// A driver changes in several writes, a confinement is widened before it is taken away, virtual
  /// functions all go before there are others, and the functions of a slot go and come one by one.
  func isPartialWrite(of intent: Intent) -> Bool {
    if self == intent.from || self == intent.to { return true }
    switch (intent.from, intent.to, self) {
    // A unit passes through states of its own, and has none but these.
    case (.activity, .activity, .activity): return true
    case (.driver(let from), .driver(let to), .driver(let found)):
      return [from.driver, to.driver, nil].contains(found.driver)
        && [from.override, to.override, to.driver, nil].contains(found.override)
    case (.allowedCPUs(let from), .allowedCPUs(let to), .allowedCPUs(let found)):
      return from.cpus.union(to.cpus).isSubset(of: found.cpus) || found.cpus == to.cpus
        || found.cpus == from.cpus
    case (.count, .count, .count(let found)): return found == 0
    case (.functions(let from), .functions(let to), .functions(let found)):
      let known = (from + to).map(\.address)
      return found.allSatisfy { known.contains($0.address) }
    default: return false
    }
  }
}

/// What is to be done about one setting, given what stands there.
enum Decision: Hashable {
  /// The place is gone, and with it all that was to be put back.
  case gone
  /// What is to stand there stands there.
  case settled
  /// The place has been told, and has yet to show it.
  case awaited
  case write(Value)
  /// Somebody else's value stands there.
  case foreign(Value)
}

extension Entry {
  /// What is to be done about the setting.
  ///
  /// A place that answers late and was told something else last is told again even if it shows what
  /// is wanted: it would not go on doing so. `isKernelChange` tells that the kernel has put the value
  /// there, as far as that follows from the host and not from the entry alone.
  ///
  /// Once Berth's write is done, the original is somebody's decision for as long as the setting is
  /// claimed, unless the kernel may have brought it back.
  ///
  /// - Throws: Where the claims contradict each other, which `Engine.admit` does not let happen.
  func decision(
    reading value: Value?, isKernelChange: Bool = false
  ) throws(ResolveError) -> Decision {
    guard let value else { return .gone }
    if hasOnlyPassiveClaims { return .settled }
    let wanted = try resolved()
    if setting.isShared { return shareDecision(reading: value, wanted: wanted) }
    if setting.isSwitch {
      return value == wanted ? .settled : switchDecision(reading: value, wanted: wanted)
    }
    let isOwn =
      value == written || isUntouchedOriginal(value) || intent.map(value.isPartialWrite) ?? false
      || isKernelChange || self.isKernelChange(value, of: wanted) || hasLostDriver(value)
      || claims.isEmpty && isPartlyRestored(value)
    if setting.hasStaleReads, let intent, isOwn {
      if intent.to != wanted || written != wanted { return .write(wanted) }
      if value != wanted { return .awaited }
    }
    if value == wanted { return .settled }
    guard isOwn else { return .foreign(value) }
    return isFixed && isEnough(value, for: wanted) ? .settled : .write(wanted)
  }

  /// The same for a setting of two values, where what it will be counts as what it is.
  ///
  /// Once Berth's write is done, any other value is somebody's decision for as long as the setting
  /// is claimed, the original among them.
  private func switchDecision(reading value: Value, wanted: Value) -> Decision {
    if intent.map(value.isPartialWrite) ?? false { return .write(wanted) }
    let coming = value.atRest
    guard let written else {
      return coming == original || coming == wanted ? .write(wanted) : .foreign(value)
    }
    if coming == written.atRest { return .write(wanted) }
    return claims.isEmpty && coming == wanted ? .write(wanted) : .foreign(value)
  }

  /// Whether nobody wants anything of the setting but to have it back.
  package var hasOnlyPassiveClaims: Bool { !claims.isEmpty && claims.allSatisfy(\.claim.isPassive) }

  /// Whether what stands there has to stay for as long as anybody claims the setting.
  var isFixed: Bool { setting.isFixedWhileHeld && !claims.isEmpty }

  /// Whether a value that was wanted once is good enough for what is wanted now.
  func isEnough(_ value: Value, for wanted: Value) -> Bool {
    guard case .count(let found) = value, case .count(let count) = wanted else { return false }
    return found >= count
  }

  /// Whether a value is the original that stood there when Berth came, and not one that somebody has
  /// put back.
  private func isUntouchedOriginal(_ value: Value) -> Bool {
    value == original && (written == nil || claims.isEmpty || setting.kernelChanges.mayBeOriginal)
  }

  /// Whether a function has lost its driver before it was ever handed to another one.
  ///
  /// It does when the driver's module is unloaded, by a step of the same plan for one: nobody has
  /// decided who is to have it.
  private func hasLostDriver(_ value: Value) -> Bool {
    guard written == nil, intent == nil, case .driver(let found) = value,
      case .driver(let first) = original
    else { return false }
    return found.driver == nil && found.override == first.override
  }

  /// Whether a driver stands where giving it back can have stopped.
  ///
  /// The override names the original already. Where it stopped is forgotten if the function is lent
  /// anew before the next attempt.
  private func isPartlyRestored(_ value: Value) -> Bool {
    guard case .driver(let found) = value, case .driver(let own)? = written,
      case .driver(let first) = original, let override = found.override
    else { return false }
    // Still with Berth's override, it was left where the driver is off for another setting's sake.
    if found.driver == nil, override == own.override { return true }
    return [own.driver, first.driver, nil].contains(found.driver)
      && [first.override, first.driver].contains(override)
  }

  /// The same for a setting in which others have shares: only the difference between what Berth
  /// has obtained and what is claimed is added to, or taken off, what stands there now.
  private func shareDecision(reading value: Value, wanted: Value) -> Decision {
    guard case .count(let standing) = value, case .count(let claimed) = wanted else {
      return .foreign(value)
    }
    let missing = claimed - share
    return missing == 0 ? .settled : .write(.count(max(0, standing + missing)))
  }

  /// How much of a shared setting Berth has obtained.
  var share: Int {
    get { if case .count(let count)? = written { count } else { 0 } }
    set { written = .count(newValue) }
  }

  /// Books what became of a write to a shared setting that began at `intent.from`.
  mutating func recordShare(reading value: Value?) {
    guard setting.isShared, let intent, case .count(let before) = intent.from,
      case .count(let aim) = intent.to,
      case .count(let after)? = value
    else { return }
    // Others may have changed the pool meanwhile; more than was aimed for is not ours.
    share = max(0, share + min(max(after - before, min(0, aim - before)), max(0, aim - before)))
    self.intent = nil
  }

  /// Whether nothing of the setting is left to be given back.
  var isSettledForGood: Bool {
    claims.isEmpty && intent == nil && (!setting.isShared || share == 0)
  }
}
