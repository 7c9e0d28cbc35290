import HostModel
import Ledger

/// All that can be reached by domains that come and go, with processes that die at any step.
///
/// Two ways that lead to the same host, ledger and domains go on as one, so that every order and
/// every set of crash points is tried without playing each of them from its beginning.
struct Explorer {
  /// How far a domain is: out, prepared, running, or out again.
  enum Stay: Hashable { case out, prepared, running, left }

  struct State: Hashable {
    var stays: [Stay]
    var values: [Setting: Value]
    var ledger = Ledger()
    var crashes = 0

    var world: World {
      let world = World(values)
      world.saved = ledger
      return world
    }
  }

  let visitors: [Visitor]
  let host: [Setting: Value]
  /// How many processes may die in one history.
  let crashes: Int

  private(set) var seen: Set<State> = []
  private(set) var deaths = 0
  /// What should not be, each with where it was found; only the first few are kept.
  private(set) var findings: [String] = []

  init(_ visitors: [Visitor], on host: [Setting: Value], crashes: Int) {
    self.visitors = visitors
    self.host = host
    self.crashes = crashes
  }

  mutating func explore() {
    var open = [State(stays: visitors.map { _ in .out }, values: host)]
    while let state = open.popLast(), findings.count < 3 {
      guard seen.insert(state).inserted else { continue }
      if state.stays.allSatisfy({ $0 == .left }) { checkEnd(of: state) }
      for number in visitors.indices where state.stays[number] != .left {
        open += successors(of: state, by: number)
      }
    }
  }

  /// What the next phase of a domain leads to: without a death, and with one at each of its steps.
  ///
  /// Deaths between two changes of the host or the ledger leave the same behind, so that one of
  /// them stands for all.
  private mutating func successors(of state: State, by number: Int) -> [State] {
    let world = state.world
    var next = [play(number, after: state, on: world)]
    guard state.crashes < crashes else { return next }
    deaths += world.steps
    for step in [0] + world.effects where step < world.steps {
      let dying = state.world
      dying.revive(budget: step + 1)
      var found = play(number, after: state, on: dying)
      found.crashes += 1
      next += [found, recovered(found)]
    }
    return next
  }

  private mutating func play(_ number: Int, after state: State, on world: World) -> State {
    var stays = state.stays
    stays[number] = play(number, from: stays[number], on: world)
    world.revive()
    check(world, after: state)
    return State(stays: stays, values: world.values, ledger: world.saved, crashes: state.crashes)
  }

  private func play(_ number: Int, from stay: Stay, on world: World) -> Stay {
    let visitor = visitors[number]
    do {
      switch stay {
      case .out:
        try world.enter(visitor)
        return .prepared
      case .prepared:
        world.begin(visitor)
        try world.settleIn(visitor)
        return .running
      case .running, .left:
        world.end(visitor)
        try world.leave(visitor)
        return .left
      }
    } catch is Rejection {
      world.end(visitor)
      return .left
    } catch {
      return stay == .out ? .prepared : stay == .prepared ? .running : .left
    }
  }

  private mutating func check(_ world: World, after state: State) {
    guard !world.wroteUnrecorded.isEmpty || !world.wroteUnlocked.isEmpty else { return }
    findings.append(
      "unrecorded \(world.wroteUnrecorded), unlocked \(world.wroteUnlocked) after \(state)")
  }

  /// The same state once recovery has run: it alone has to finish what had begun.
  private mutating func recovered(_ state: State) -> State {
    let world = state.world
    var found = state
    do {
      let outcome = try world.recover()
      if !outcome.failures.isEmpty || !outcome.drifts.isEmpty {
        findings.append("recovery says \(outcome) of \(state)")
      }
    } catch {
      findings.append("recovery fails with \(error) on \(state)")
    }
    (found.values, found.ledger) = (world.values, world.saved)
    if let unsettled = world.unsettled.first {
      findings.append("recovery leaves \(unsettled) of \(state)")
    }
    if found.ledger.holders.isEmpty, found.ledger != Ledger() || own(found.values) != host {
      findings.append("recovery does not finish \(state)")
    }
    return found
  }

  /// The guard of domains that are gone is all that runs in the end.
  private mutating func checkEnd(of state: State) {
    let world = state.world
    do {
      try world.recover { _ in true }
    } catch {
      findings.append("the end fails with \(error) on \(state)")
    }
    if own(world.values) != host || world.saved != Ledger() {
      findings.append("the end leaves \(world.saved) of \(state)")
    }
  }

  /// The values of the settings that are the host's own.
  private func own(_ values: [Setting: Value]) -> [Setting: Value] {
    values.filter { host[$0.key] != nil }
  }
}

extension World {
  /// The entries whose settings are not as the ledger wants them, other than by a foreign hand.
  var unsettled: [Entry] {
    saved.entries.filter { entry in
      guard let standing = values[entry.setting], !entry.isForeign(standing) else { return false }
      return entry.intent != nil || entry.target(given: standing) != standing
    }
  }
}
