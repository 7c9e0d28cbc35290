import Bytes
import HostModel
import Ledger
import Port
import Recorded

/// Something that happens on a host beside the lives of VMs.
enum Act: Hashable {
  case live(Life)
  case reconcile
  /// An administrator sets a value of his own, or puts back what was there.
  case change(Int, value: String)
  case putBack(Int)
  /// A power daemon puts a value back again and again.
  case daemon(times: Int)
  /// Somebody else's VM takes free pages for some time, or has Proxmox allocate its own.
  case stranger(pages: Int, milliseconds: Int)
  case proxmox(pages: Int, milliseconds: Int)
  /// A driver does not let go of a function.
  case hang(Int, milliseconds: Int)
  case mute(milliseconds: Int)
  /// A process of Berth's is killed, whichever runs.
  case kill(Int)
  /// A CPU goes offline and comes back.
  case offline(cpu: Int, milliseconds: Int)
  /// The host sleeps and wakes up.
  case sleep
}

extension World {
  /// What an administrator may change: each is claimed by some guest.
  static let changeable: [HostPath] = [
    "/proc/sys/kernel/numa_balancing",
    "/sys/devices/system/cpu/cpu5/power/pm_qos_resume_latency_us",
    "/sys/devices/system/cpu/cpu7/power/pm_qos_resume_latency_us",
    "/proc/irq/30/smp_affinity_list",
  ]

  func play(_ act: Act, by player: Player) {
    do throws(HostError) {
      switch act {
      case .live(let life): play(life, by: player)
      case .reconcile: reconcile("an administrator")
      case .change(let place, let value): try change(Self.changeable[place], value, player)
      case .putBack(let place):
        let path = Self.changeable[place]
        if let value = files.original[path] { try change(path, value, player) }
      case .daemon(let times):
        for _ in 0..<times where !player.isDead {
          try change(Self.changeable[0], "1", player)
          player.sleep(milliseconds: 700)
        }
      case .stranger(let pages, let milliseconds):
        try takePages(pages, for: milliseconds, player)
      case .proxmox(let pages, let milliseconds):
        try startStranger(pages, for: milliseconds, player)
      case .hang(let function, let milliseconds):
        let name = SmallHost.functions[function].name
        hangs[name] = max(hangs[name] ?? 0, now + UInt64(milliseconds) * 1_000_000)
        note("\(name) hangs for \(milliseconds) ms")
      case .mute(let milliseconds):
        muteUntil = max(muteUntil, now + UInt64(milliseconds) * 1_000_000)
        tally.mutes += 1
        note("systemd is mute for \(milliseconds) ms")
      case .kill(let number):
        let running = stage.players.filter { $0.pid != 0 && !$0.isDead }
        if !running.isEmpty {
          let victim = running[number % running.count]
          note("\(victim.name) is killed")
          victim.kill()
        }
      case .offline(let cpu, let milliseconds):
        try plug(cpu, false)
        player.sleep(milliseconds: milliseconds)
        try plug(cpu, true)
      case .sleep:
        note("the host sleeps")
        tally.hotplugs += 1
        try kernel.write("mem", to: "/sys/power/state")
        wakeUp()
      }
    } catch {
      if !player.isDead { find(.text, "\(act) fails: \(error)") }
    }
  }

  /// What is to stand in the files that people have changed.
  ///
  /// An interrupt whose CPUs were offline is sent elsewhere by the kernel, whoever chose them; what
  /// nobody holds, nobody repairs.
  var due: [HostPath: String] {
    var due = wanted
    for path in wanted.keys where tally.hotplugs > 0 && path.begins(with: "/proc/irq") {
      due[path] = try? kernel.word(of: path)
    }
    return due
  }

  private func plug(_ cpu: Int, _ isOnline: Bool) throws(HostError) {
    pluggedAt = now
    note("CPU \(cpu) is \(isOnline ? "online" : "offline")")
    tally.hotplugs += 1
    try kernel.write(isOnline ? "1" : "0", to: "/sys/devices/system/cpu/cpu\(cpu)/online")
    if isOnline { wakeUp() }
  }

  /// What systemd and udev do when CPUs are back (hooks/berth-reconcile.service).
  private func wakeUp() {
    stage.after(milliseconds: 1_000) {
      if !self.ledger.isEmpty { self.reconcile("berth-reconcile.service", ["reconcile"]) }
    }
    stage.after(milliseconds: 60_000) { self.checkIsolation() }
  }

  /// A minute after its CPU was back, a VM has it to itself again.
  private func checkIsolation() {
    if locks["lock"]?.holder != nil || stalledUntil > now { return }
    guard let online = try? kernel.list(of: "/sys/devices/system/cpu/online"), online.count == 8
    else { return }
    for guest in guests where guest.runs && guest.isIsolated {
      let word = try? kernel.word(of: guest.partition)
      if word != "isolated" {
        guest.isIsolated = false
        find(.takenApart, "\(guest.name) is not isolated any more: \(word ?? "-")")
      }
    }
  }

  /// Writes a value as people do: at a moment at which nobody of Berth's is in the midst of it, since
  /// of two writes at the same moment nobody can tell which is whose.
  private func change(_ path: HostPath, _ value: String, _ player: Player) throws(HostError) {
    while locks["lock"]?.holder != nil {
      if player.isDead { return }
      player.sleep(milliseconds: 1)
    }
    tally.strangers += 1
    try kernel.write(value, to: path)
    wanted[path] = try kernel.word(of: path)
    note("somebody writes “\(value)” to \(path)")
  }

  /// A VM of Proxmox's that Berth is not told of.
  private func startStranger(
    _ pages: Int, for milliseconds: Int, _ player: Player
  ) throws(HostError) {
    var taken = 0
    if takeProxmoxLock(player) {
      defer { releaseProxmoxLock(player) }
      if try allocate(pages, 1, player) { taken = try take(pages) }
      player.sleep(milliseconds: player.random.pick(300))
      try resetPools()
    }
    player.sleep(milliseconds: milliseconds)
    try giveBack(taken)
  }

  private func takePages(
    _ pages: Int, for milliseconds: Int, _ player: Player
  ) throws(HostError) {
    let taken = try take(pages)
    player.sleep(milliseconds: milliseconds)
    try giveBack(taken)
  }

  private static let counters =
    "sys/devices/system/node/node1/hugepages/hugepages-2048kB/free_hugepages"

  /// A stranger's QEMU takes as many pages as it may.
  private func take(_ pages: Int) throws(HostError) -> Int {
    let taken = max(0, min(pages, try freePages(1) - reserved()))
    tally.strangers += 1
    strangersAt = now
    try files.add("\(Self.counters) += \(-taken)\n")
    strangersPages[1] += taken
    countDemand()
    note("a stranger takes \(taken) pages")
    return taken
  }

  private func giveBack(_ taken: Int) throws(HostError) {
    strangersPages[1] -= taken
    note("a stranger gives \(taken) pages back")
    try files.remove("\(Self.counters) += \(-taken)\n")
  }
}
