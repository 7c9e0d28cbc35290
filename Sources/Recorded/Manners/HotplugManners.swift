internal import Bytes
internal import Formats
import HostModel
internal import Port

/// CPUs that go offline and come back: `online` of a CPU, and sleep, `/sys/power/state`.
///
/// - `online` takes what the kernel takes for yes or no, anything else is `EINVAL`
///   (drivers/base/core.c, `online_store()`); the last CPU stays, `EBUSY` (kernel/cpu.c, `_cpu_down()`).
/// - Of an offline CPU there are neither `topology` nor `cache`, and no node and no sibling counts it
///   (drivers/base/topology.c, drivers/base/cacheinfo.c, drivers/base/node.c).
/// - The mask of an interrupt stays while one of its CPUs is online; when the last one goes it is all
///   that are, and stays so (kernel/irq/cpuhotplug.c, `migrate_one_irq()`). Those that the kernel
///   manages itself keep theirs.
/// - A partition with tasks that loses its last CPU is invalid, and stays so when the CPU is back,
///   unless its parent is the root (kernel/cgroup/cpuset.c, 6.12, `cpuset_hotplug_update_tasks()`).
/// - Tasks follow their cpusets (see `CPUSets`). One in the root cgroup that has no CPU left may run anywhere (kernel/sched/core.c,
///   `select_fallback_rq()`).
/// - Before sleep all but the first go, in descending order, up to Linux 6.10 in ascending order, and
///   are back afterwards (kernel/cpu.c, `freeze_secondary_cpus()`). Cpusets do not notice (kernel/sched/core.c, `cpuset_cpu_inactive()`),
///   and tasks are frozen. To idle, with `freeze`, no CPU goes at all (kernel/power/suspend.c).
struct HotplugManners: KernelManners {
  static let cpus: HostPath = "/sys/devices/system/cpu"
  private static let sleep: HostPath = "/sys/power/state"

  func apply(to path: HostPath) -> Bool {
    path == Self.sleep
      || path.name == "online" && path.parent.parent == Self.cpus
        && Quantity.cpu.number(in: path.parent.name, after: "cpu") != nil
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    let hotplug = Hotplug(tree: tree)
    if path == Self.sleep { return try fallAsleep(text, at: path, hotplug) }
    guard let cpu = Quantity.cpu.number(in: path.parent.name, after: "cpu"),
      let isOnline = Self.switches[text.trimmed]
    else { throw refusal(of: text, at: path, .invalid) }
    let online = try hotplug.online()
    if online.contains(cpu) == isOnline { return }
    if !isOnline, online.count == 1 { throw refusal(of: text, at: path, .busy) }
    try hotplug.setOnline(isOnline, cpu)
    try hotplug.updateCPUSets()
  }

  private static let switches = [
    "1": true, "y": true, "on": true, "0": false, "n": false, "off": false,
  ]

  private func fallAsleep(
    _ text: String, at path: HostPath, _ hotplug: Hotplug
  ) throws(HostError) {
    let word = text.trimmed
    let offered = try hotplug.tree.text(of: path).trimmed.fields(at: " ")
    guard offered.contains(where: { $0 == word }) else {
      throw refusal(of: text, at: path, .invalid)
    }
    if word == "freeze" { return }
    let others = Array(try hotplug.online().dropFirst())
    let version = try RecordedKernel(root: hotplug.tree.root).version()
    let isEarly = version < KernelVersion(major: 6, minor: 11)
    for cpu in isEarly ? others : others.reversed() { try hotplug.setOnline(false, cpu) }
    for cpu in others { try hotplug.setOnline(true, cpu) }
    let count: HostPath = "/sys/power/suspend_stats/success"
    if hotplug.tree.exists(count) {
      try hotplug.tree.replace(
        "\(try hotplug.tree.number(of: count, as: .integer) + 1)\n", at: count)
    }
  }
}

/// The CPUs of a recorded host while some of them go or come.
struct Hotplug {
  let tree: RecordedTree

  func online() throws(HostError) -> CPUList { try tree.list(of: "\(HotplugManners.cpus)/online") }

  /// Takes one CPU away or brings it back, with all that follows but cpusets.
  func setOnline(_ isOnline: Bool, _ cpu: Int) throws(HostError) {
    let folder: HostPath = "\(HotplugManners.cpus)/cpu\(cpu)"
    var online = try online()
    if isOnline { online.insert(cpu) } else { online.remove(cpu) }
    let possible = try tree.list(of: "\(HotplugManners.cpus)/possible")
    try put("\(online)", at: "\(HotplugManners.cpus)/online")
    try put("\(possible.subtracting(online))", at: "\(HotplugManners.cpus)/offline")
    try put(isOnline ? "1" : "0", at: "\(folder)/online")
    try keepLists()
    for name in ["topology", "cache"] {
      let (child, place) = (folder.appending(name), HostPath("\(Self.shelf)/cpu\(cpu)/\(name)"))
      if isOnline { try tree.move(place, to: child) } else { try tree.move(child, to: place) }
    }
    for path in try lists() {
      try put("\(tree.list(of: kept(path)).intersection(online))", at: path)
    }
    if !isOnline { try migrateInterrupts(off: cpu, to: online) }
  }

  private static let shelf: HostPath = "/recorded/offline"

  private func put(_ text: String, at path: HostPath) throws(HostError) {
    if tree.exists(path) { try tree.replace(text + "\n", at: path) }
  }

  /// The lists of nodes' CPUs, and of those that share a core or a cache.
  private func lists() throws(HostError) -> [HostPath] {
    var found: [HostPath] = []
    let nodes: HostPath = "/sys/devices/system/node"
    for name in try tree.exists(nodes) ? tree.entries(of: nodes).sorted() : [] {
      found.append("\(nodes)/\(name)/cpulist")
    }
    for name in try tree.entries(of: HotplugManners.cpus).sorted()
    where Quantity.cpu.number(in: name, after: "cpu") != nil {
      let topology: HostPath = "\(HotplugManners.cpus)/\(name)/topology"
      let caches: HostPath = "\(HotplugManners.cpus)/\(name)/cache"
      if tree.exists(topology) {
        found += try tree.entries(of: topology).filter { $0.ends(with: "_list") }
          .map { topology.appending($0) }
      }
      if tree.exists(caches) {
        found += try tree.entries(of: caches).map { "\(caches)/\($0)/shared_cpu_list" }
      }
    }
    return found.filter { tree.exists($0) }
  }

  private func kept(_ path: HostPath) -> HostPath {
    "\(Self.shelf)/lists/\(below: path.below(.root))"
  }

  /// Keeps what the lists hold when all CPUs are there that the record has.
  private func keepLists() throws(HostError) {
    for path in try lists() where !tree.exists(kept(path)) {
      try tree.create(try tree.text(of: path), at: kept(path))
    }
  }
}

extension Hotplug {
  private func migrateInterrupts(off cpu: Int, to online: CPUList) throws(HostError) {
    let root: HostPath = "/proc/irq"
    guard tree.exists(root) else { return }
    let limits = try RecordedLimits(of: tree)
    for number in try tree.entries(of: root).compactMap(Quantity.integer.number).sorted() {
      let file: HostPath = "\(root)/\(number)/smp_affinity_list"
      guard let text = try tree.textIfPresent(of: file), limits.value("managed", of: file) == nil
      else { continue }
      let mask = try tree.list(in: text, at: file)
      let effective: HostPath = "\(root)/\(number)/effective_affinity_list"
      let target = tree.exists(effective) ? try tree.list(of: effective) : mask
      guard target.contains(cpu) else { continue }
      let isBroken = mask.isDisjoint(with: online)
      // The same mask again only finds another CPU for it.
      try InterruptManners().write("\(isBroken ? online : mask)", to: file, in: tree)
    }
  }

  /// Has cpusets and their tasks notice which CPUs there are.
  func updateCPUSets() throws(HostError) {
    let root = CPUSets.root
    let sets = CPUSets(tree: tree)
    let online = try online()
    if tree.exists("\(root)/cpuset.cpus.effective") {
      let before = try sets.partitionedCPUs()
      try updatePartitions(below: root, online, sets)
      let haveEnded = try sets.partitionedCPUs() != before
      try sets.update(isHotplug: true, haveEnded: haveEnded)
    }
    try RecordedThread.freeThoseWithoutCPU(online, in: tree)
  }

  private func updatePartitions(
    below group: HostPath, _ online: CPUList, _ sets: CPUSets
  ) throws(HostError) {
    for child in try sets.children(of: group) {
      let file: HostPath = "\(child)/cpuset.cpus.partition"
      let word = try tree.textIfPresent(of: file)?.trimmed.fields(at: " ").first.map(String.init)
      if let word, word != "member" {
        let cpus = try tree.list(of: "\(child)/cpuset.cpus.exclusive")
        let isLost = cpus.isDisjoint(with: online)
        let isValid = try tree.text(of: file).trimmed == word
        if isValid, isLost, try isPopulated(child) {
          try tree.replace("\(word) invalid (No cpu available due to hotplug)\n", at: file)
        } else if !isValid, !isLost, group == CPUSets.root {
          try tree.replace("\(word)\n", at: file)
        }
      }
      try updatePartitions(below: child, online, sets)
    }
  }

  /// A cgroup whose record does not tell may have tasks.
  private func isPopulated(_ group: HostPath) throws(HostError) -> Bool {
    let events = try tree.textIfPresent(of: "\(group)/cgroup.events")
    return !(events?.lines.contains { $0 == "populated 0" } ?? false)
  }
}
