import Bytes
import HostModel
import Ledger
import Port
import Recorded

/// What a VM goes through once, as its hypervisor plays it.
struct Life: Hashable {
  var guest: Int
  /// Milliseconds from its start to the end of its QEMU.
  var runs: Int
  /// The call before which a hook is killed, by phase.
  var deaths: [Phase: Int] = [:]
  /// Whether the hypervisor is killed while `prepare` runs, and begins again beside it.
  var beginsTwice = false
  /// Whether QEMU does not come up.
  var fails = false
  /// Whether nobody is told of its end.
  var isSilent = false
  /// Whether QEMU's process is not recognised.
  var isUnrecognised = false
  /// Whether its daemon is started anew meanwhile.
  var reconnects = false
}

extension World {
  /// Plays a life; the player is the hypervisor.
  func play(_ life: Life, by script: Player) {
    let guest = guests[life.guest]
    // libvirt and Proxmox have one start of a VM at a time.
    while guest.isBusy {
      if script.isDead { return }
      script.sleep(milliseconds: 200)
    }
    guest.isBusy = true
    defer { guest.isBusy = false }
    guest.isRecognised = !life.isUnrecognised
    guest.preparedAt = now
    do throws(HostError) {
      if guest.domain.hypervisor == .libvirt {
        try playLibvirt(life, guest, script)
      } else {
        try playProxmox(life, guest, script)
      }
    } catch {
      if !script.isDead { find(.text, "the life of \(guest.name) fails: \(error)") }
    }
    guest.isCounted = false
    guest.leftAt = max(guest.leftAt, now)
  }

  /// How long nobody can tell whether a start goes on that a killed daemon of libvirt's has forgotten:
  /// until the guard of its arrival looks.
  private static let arrivalSeconds = 660

  private func count(_ guest: Guest, _ isCounted: Bool) {
    guest.isCounted = isCounted
    if !isCounted { guest.leftAt = max(guest.leftAt, now) }
    countDemand()
  }

  private func playLibvirt(_ life: Life, _ guest: Guest, _ script: Player) throws(HostError) {
    count(guest, true)
    if life.beginsTwice {
      _ = beginHook(.prepare, of: guest, parent: 1000, dying: life.deaths[.prepare])
      script.sleep(milliseconds: script.random.pick(400))
    }
    let death = life.beginsTwice ? nil : life.deaths[.prepare]
    var answer = call(.prepare, of: guest, from: script, parent: 1000, dying: death)
    if lets(answer), !life.beginsTwice {
      script.sleep(milliseconds: script.random.pick(60))
      answer = call(.start, of: guest, from: script, parent: 1000, dying: life.deaths[.start])
      // Its daemon is told of a failure by the exit status only.
      if lets(answer) {
        if try comesUp(guest, isLetIn: answer == .accepted, life, script) {
          try run(guest, life, script, parent: 1000)
          return try leaveLibvirt(life, guest, script)
        }
      }
    }
    try leaveLibvirt(life, guest, script)
  }

  /// What a hypervisor makes of an exit status.
  private func lets(_ answer: Answer) -> Bool {
    switch answer {
    case .accepted: true
    // In the phases that may refuse, whatever fails does.
    case .refused, .failed, .died: false
    }
  }

  private func comesUp(
    _ guest: Guest, isLetIn: Bool, _ life: Life, _ script: Player
  ) throws(HostError) -> Bool {
    script.sleep(milliseconds: script.random.pick(30))
    let isSound = isLetIn && strangersAt < guest.preparedAt && stalledUntil < guest.preparedAt
    for function in guest.functions where guest.domain.hypervisor == .libvirt {
      guard let driver = driver(of: function), driver == "vfio-pci" else {
        if isSound { find(.starved, "\(guest.name) was let in without \(function)") }
        return false
      }
    }
    // Another QEMU has it open.
    if life.fails || guest.functions.contains(where: { user(of: $0) != nil }) { return false }
    do throws(HostError) {
      try appear(guest)
    } catch {
      try removePIDFile(guest)
      if isSound {
        find(.starved, "\(guest.name) was let in, and its QEMU finds too few pages: \(error)")
      }
      return false
    }
    for _ in 0..<3 {
      script.sleep(milliseconds: script.random.pick(300))
      try touch((guest.pages + 2) / 3, guest)
    }
    return true
  }

  private func run(
    _ guest: Guest, _ life: Life, _ script: Player, parent: Int
  ) throws(HostError) {
    _ = call(.started, of: guest, from: script, parent: parent, dying: life.deaths[.started])
    if parent != 1000 { end(parent) }
    script.sleep(milliseconds: life.runs / 2)
    if life.reconnects, guest.domain.hypervisor == .libvirt {
      _ = call(.reconnect, of: guest, from: script, parent: 1000, dying: nil)
    }
    script.sleep(milliseconds: life.runs / 2)
    try disappear(guest)
    script.sleep(milliseconds: script.random.pick(100))
  }

  private func leaveLibvirt(_ life: Life, _ guest: Guest, _ script: Player) throws(HostError) {
    try removePIDFile(guest)
    count(guest, false)
    defer { noteUntoldEnd(of: guest) }
    if life.isSilent, !life.isUnrecognised { return }
    _ = call(.release, of: guest, from: script, parent: 1000, dying: life.deaths[.release])
  }

  /// Of a VM whose QEMU no hook has lived to meet, nor to hear of its end, nobody can tell that it is over.
  private func noteUntoldEnd(of guest: Guest) {
    guard let holder = ledger.holder(guest.id), holder.process == nil else { return }
    guest.leftAt = now + UInt64(Self.arrivalSeconds) * 1_000_000_000
  }

  // MARK: Proxmox

  private func playProxmox(_ life: Life, _ guest: Guest, _ script: Player) throws(HostError) {
    let task = enter("task UPID:", parent: 1, ["task UPID:small:\(guest.name):qmstart"])
    defer { end(task) }
    count(guest, true)
    let answer = call(
      .prepare, of: guest, from: script, parent: task, dying: life.deaths[.prepare])
    guard lets(answer) else { return }
    script.sleep(milliseconds: script.random.pick(60))
    guard try startProxmox(guest, isLetIn: answer == .accepted, life, script) else { return }
    try run(guest, life, script, parent: task)
    try removePIDFile(guest)
    count(guest, false)
    if life.isSilent, !life.isUnrecognised { return }
    script.sleep(milliseconds: script.random.pick(300))
    _ = call(.release, of: guest, from: script, parent: 1, dying: life.deaths[.release])
  }

  /// What Proxmox does under its lock: it counts, allocates, starts QEMU, which fills its memory, and
  /// gives back what is free then (`hugepages_update_locked()` in src/PVE/QemuServer/Memory.pm).
  private func startProxmox(
    _ guest: Guest, isLetIn: Bool, _ life: Life, _ script: Player
  ) throws(HostError) -> Bool {
    guard takeProxmoxLock(script) else { return false }
    defer { release(Self.proxmoxLock, script) }
    guard try allocate(guest.pages, guest.node, script) else {
      if isLetIn, strangersAt < guest.preparedAt, stalledUntil < guest.preparedAt {
        find(.starved, "Proxmox finds too few pages for \(guest.name)")
      }
      return false
    }
    for function in guest.functions { try bindToVFIO(function) }
    let isUp = try comesUp(guest, isLetIn: isLetIn, life, script)
    try resetPools()
    return isUp
  }

  private static let proxmoxLock = "hugepages.lck"

  /// Proxmox waits 60 s for it.
  func takeProxmoxLock(_ script: Player) -> Bool {
    take(Self.proxmoxLock, script, until: stage.time.advanced(byMilliseconds: 60_000))
  }

  func releaseProxmoxLock(_ script: Player) { release(Self.proxmoxLock, script) }

  /// What Proxmox does before a start (`hugepages_allocate()` in src/PVE/QemuServer/Memory.pm).
  func allocate(_ pages: Int, _ node: Int, _ script: Player) throws(HostError) -> Bool {
    let place: HostPath = "/sys/devices/system/node/node\(node)/hugepages/hugepages-2048kB"
    let free = try kernel.number(of: "\(place)/free_hugepages", as: .pages)
    if pages <= free { return true }
    let total = try kernel.number(of: "\(place)/nr_hugepages", as: .pages)
    script.sleep(milliseconds: script.random.pick(200))
    if script.isDead { return false }
    try kernel.write("\(total + pages - free)", to: "\(place)/nr_hugepages")
    strangersAt = now
    note("Proxmox sets node \(node) to \(total + pages - free) pages")
    if try kernel.number(of: "\(place)/free_hugepages", as: .pages) >= pages { return true }
    // What it puts back counts surplus pages, too, so that these stay until its next reset.
    try kernel.write("\(total)", to: "\(place)/nr_hugepages")
    hasProxmoxLeft = true
    return false
  }

  /// What Proxmox does after a start (`hugepages_pre_deallocate()` there): free pages of all nodes go.
  func resetPools() throws(HostError) {
    for node in 0..<2 {
      let place: HostPath = "/sys/devices/system/node/node\(node)/hugepages/hugepages-2048kB"
      try kernel.write("0", to: "\(place)/nr_hugepages")
    }
    strangersAt = now
    note("Proxmox resets the pools")
  }

  /// What Proxmox does with every function that it hands over, and never takes back.
  private func bindToVFIO(_ function: String) throws(HostError) {
    if driver(of: function) == "vfio-pci" { return }
    let place: HostPath = "/sys/bus/pci/devices/\(function)"
    if driver(of: function) != nil {
      try kernel.write(function, to: "\(place)/driver/unbind")
    }
    let override = try kernel.word(of: "\(place)/driver_override")
    try kernel.write("vfio-pci", to: "\(place)/driver_override")
    try kernel.write(function, to: "/sys/bus/pci/drivers_probe")
    try kernel.write(
      override == "(null)" ? "\n" : override, to: "\(place)/driver_override")
  }
}
