import Bytes
import HostModel
import Ledger
import Lifecycle
import Port
import Tunings

/// What a hypervisor hears of a hook.
enum Answer: Equatable {
  case accepted
  case refused([String])
  /// Something failed, for which a start is refused as well.
  case failed(String)
  case died

  /// Why a start does not go on.
  var reasons: [String]? {
    switch self {
    case .refused(let reasons): reasons
    case .failed(let reason): [reason]
    case .accepted, .died: nil
    }
  }
}

extension World {
  /// Runs a hook in a process of its own, and waits for its end as hypervisors do.
  func call(
    _ phase: Phase, of guest: Guest, from script: Player, parent: Int, dying death: Int?
  ) -> Answer {
    let hook = beginHook(phase, of: guest, parent: parent, dying: death)
    hook.waiting = script
    while hook.answer == nil, !script.isDead { script.sleep(until: .max) }
    return hook.answer ?? .died
  }

  final class Hook {
    var answer: Answer?
    weak var waiting: Player?
  }

  /// Begins a hook that nobody waits for yet.
  func beginHook(_ phase: Phase, of guest: Guest, parent: Int, dying death: Int?) -> Hook {
    let name = "\(phase.name(under: guest.domain.hypervisor)) of \(guest.name)"
    let hook = Hook()
    hookCount += 1
    tally.phases += 1
    note("\(name) begins")
    let pid = enter("berth", parent: parent, ["/usr/sbin/berth", guest.name, phase.rawValue])
    let player = stage.begin(name, seed: seed ^ UInt64(hookCount) << 32) { player in
      hook.answer = self.play(phase, of: guest, by: player)
      hook.waiting?.wake = self.now
    }
    player.pid = pid
    player.death = death
    player.starts = phase.mayRefuse ? guest.id : nil
    player.vm = guest.id
    player.comesAfterReset = phase == .started && guest.domain.proxmox?.hugepages != nil
    player.atEnd = { [weak player] in
      self.end(pid)
      guard let player else { return }
      for name in player.holds { self.release(name, player) }
      if player.isDead {
        self.tally.crashes += 1
        hook.answer = .died
        hook.waiting?.wake = self.now
      }
    }
    return hook
  }

  private func lifecycle(of player: Player) -> Lifecycle {
    Lifecycle(
      kernel: MeanKernel(self, player), systemd: MeanSystemd(self, player),
      units: MeanUnits(self, player), store: MeanStore(self, player)
    ) { event in self.observe(event, by: player) }
  }

  private func play(_ phase: Phase, of guest: Guest, by player: Player) -> Answer {
    let start = phase.mayRefuse ? Start(guest, player, most: demand(besides: guest)) : nil
    if let start { starts.append(start) }
    defer { starts.removeAll { $0 === start } }
    let began = now
    var answer = Answer.accepted
    do {
      let request = Request(domain: guest.domain, phase: phase, policy: guest.policy)
      let outcome = try lifecycle(of: player).play(request, by: guest.id)
      for line in outcome.warnings + outcome.failures + outcome.drifts {
        note("\(player.name) says: \(line)")
      }
    } catch let refusal as PhaseRefusal {
      answer = .refused(refusal.reasons)
    } catch {
      answer = .failed("\(error)")
    }
    if player.isDead { return .died }
    note("\(player.name) ends: \(answer)")
    check(answer, of: phase, guest, player, start, since: began)
    if phase == .started, answer == .accepted, guest.runs,
      (try? kernel.word(of: guest.partition)) == "isolated"
    {
      guest.isIsolated = true
    }
    return answer
  }

  private func check(
    _ answer: Answer, of phase: Phase, _ guest: Guest, _ player: Player, _ start: Start?,
    since began: UInt64
  ) {
    if let start, let reasons = answer.reasons {
      tally.refusals += 1
      check(reasons, of: start, since: began)
    }
    if !phase.mayRefuse, case .refused(let reasons) = answer {
      find(.mayNotRefuse, "\(player.name) refuses: \(reasons)")
    }
    let budget = guest.policy.budgets.milliseconds(for: phase)
    // What is rolled back has 30 s of its own, and what is recorded at last 5.
    let grace = answer == .accepted ? 6_000 : 36_000
    checkTime(player, since: began, budget: budget, grace: grace)
    if !phase.mayRefuse || phase == .start { checkWaits(player, since: began) }
  }

  private func checkTime(_ player: Player, since began: UInt64, budget: Int, grace: Int) {
    if stalledUntil >= began { return }
    let taken = Int((now - began) / 1_000_000)
    if taken > budget + grace {
      find(.late, "\(player.name) took \(taken) ms of \(budget)")
    }
  }

  private func checkWaits(_ player: Player, since began: UInt64, most: Int = 5_000) {
    if stalledUntil >= began || muteUntil >= began { return }
    let waited = Int(player.waited / 1_000_000)
    if waited > most { find(.waits, "\(player.name) waited \(waited) ms for the work of others") }
  }

  /// Whether a refusal is for something that the host lacks.
  private func check(_ reasons: [String], of start: Start, since began: UInt64) {
    let guest = start.guest
    if let excuse = excuse(for: reasons, start, since: began) {
      tally.excused += 1
      return note("excused: \(excuse)")
    }
    find(
      .refusal,
      "\(guest.name) is refused, though others had or were promised \(start.most) of "
        + "\(SmallHost.pages) pages at most: \(reasons.joined(separator: "; "))")
  }

  private func excuse(for reasons: [String], _ start: Start, since began: UInt64) -> String? {
    let guest = start.guest
    if let text = try? kernel.word(of: "/sys/devices/system/cpu/online"),
      let online = try? CPUList(parsing: text),
      guest.domain.vcpuPins.values.contains(where: { $0.isDisjoint(with: online) })
    {
      return "a CPU of its own is offline"
    }
    if pluggedAt > 0, pluggedAt >= began { return "a CPU came or went" }
    if start.most + guest.pages > SmallHost.pages { return "there are too few pages" }
    if starts.contains(where: { $0.guest === guest && $0 !== start }) {
      return "another process starts it"
    }
    if strangersAt >= guest.preparedAt { return "strangers changed the pools" }
    if hangs.values.contains(where: { $0 >= began }) { return "a device hangs" }
    if muteUntil >= began { return "systemd was mute" }
    // Nobody can tell what of the reserved pages is that one's.
    if guests.contains(where: { $0.runs && !$0.isRecognised }) { return "a QEMU is not recognised" }
    if stalledUntil >= began { return "somebody did not get a CPU" }
    // Who leaves has it until the hook that gives it back has said so.
    let others = guests.filter { other in
      other !== guest
        && (other.isCounted || other.runs || other.leftAt >= began
          || other.isBusy && ledger.holder(other.id) != nil)
    }
    let isShared = others.contains { !Set($0.functions).isDisjoint(with: guest.functions) }
    if isShared { return "another one has its card" }
    return nil
  }

  /// What the timers and the guards run.
  func reconcile(_ name: String, _ arguments: [String] = [], then done: @escaping () -> Void = {}) {
    hookCount += 1
    tally.reconciles += 1
    note("\(name) runs reconcile")
    let pid = enter("berth", parent: 1, ["/usr/sbin/berth"] + arguments)
    let attempt = arguments.last.flatMap { Int($0) } ?? 0
    let player = stage.begin("reconcile of \(name)", seed: seed ^ UInt64(hookCount) << 32) {
      player in
      let began = self.now
      do {
        let outcome = try self.lifecycle(of: player)
          .reconcile(
            attempt: attempt, until: self.stage.time.advanced(byMilliseconds: 30_000))
        for line in outcome.warnings + outcome.failures + outcome.drifts {
          self.note("\(player.name) says: \(line)")
        }
      } catch {
        self.note("\(player.name) fails: \(error)")
      }
      if player.isDead { return }
      self.note("\(player.name) ends")
      self.checkTime(player, since: began, budget: 30_000, grace: 6_000)
      // It is a service that nobody waits for.
      self.checkWaits(player, since: began, most: 10_000)
    }
    player.pid = pid
    player.atEnd = { [weak player] in
      self.end(pid)
      if let player { for name in player.holds { self.release(name, player) } }
      done()
    }
  }

  private func observe(_ event: EngineEvent, by player: Player) {
    guard case .changed(let setting, let from, let to, _) = event else { return }
    note("\(player.name): \(setting) from “\(from)” to “\(to)”")
  }

  /// Whether somebody is about to make a change that is another start's to make.
  ///
  /// What is asked is the ledger, in which the intent stands. A giving back that had begun before
  /// somebody claimed the setting goes on.
  func checkOrder(of setting: Setting?, _ player: Player) {
    guard let setting, let index = ledger.index(of: setting) else { return }
    let entry = ledger.entries[index]
    guard let intent = entry.intent, intent.to != entry.original else { return }
    if case .count(let before) = intent.from, case .count(let after) = intent.to, after < before {
      return
    }
    // What Proxmox has just taken out of a pool is obtained anew for whomever it was.
    if setting.isShared, player.comesAfterReset { return }
    let owners = entry.claims.map(\.holder)
    if let own = player.starts, owners.contains(own) { return }
    let isTaken = owners.allSatisfy { owner in
      // Not one that has not come to its own claims yet.
      let worker = ledger.holder(owner)?.worker?.pid
      return starts.contains {
        $0.player.pid == worker && !$0.player.isDead && $0.player !== player
      }
    }
    if isTaken, let owner = owners.first {
      find(
        .order, "\(player.name) makes \(setting) “\(intent.to)” for \(owner), whose hook is at work"
      )
    }
  }

  // MARK: What others have changed

  func noteRead(of path: HostPath, _ bytes: [UInt8], by player: Player) {}

  func noteWrite(to path: HostPath, _ text: String, by player: Player, isLate: Bool) {
    guard let due = wanted[path], let now = try? kernel.word(of: path), now == due else { return }
    let entry = ledger.entries.first { entry in
      if case .attribute(let place, _) = entry.setting { return "\(path)" == "\(place)" }
      return false
    }
    guard let entry, "\(entry.original)" != due, text.trimmed != due else { return }
    find(.overwritten, "\(player.name) writes “\(text.trimmed)” over “\(due)” in \(path)")
  }
}
