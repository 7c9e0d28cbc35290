import Bytes
import HostModel
import Ledger
import Lifecycle
import Port
internal import Recorded
import Support
import Testing
import Tunings

/// A running domain and those that are there beside it or come later, whether their hooks call Berth or not;
/// and what is pinned and plugged while it runs.
struct FollowingTests {
  private static let scope = "machine.slice/machine-qemu\\x2d1\\x2dgaming.scope"
  private static let groups = "\(scope)/libvirt"

  private static let domain = Workstation.pinnedDomain

  /// A host on which the domain's QEMU runs, with what it has besides.
  private func life(_ lines: String = "", kernel: String = "6.12.48") throws -> RecordedLife {
    let life = try RecordedLife("proc/sys/kernel/osrelease\t\(kernel)\n" + lines)
    try life.host.prepareAndStartGaming()
    life.tell(Self.domain)
    return life
  }

  private func start(_ life: RecordedLife, _ isolation: Policy.Isolation = .auto) throws -> [String]
  {
    try life.play(.started, Self.domain) { policy in
      policy.isolation = isolation
      policy.interrupts.move = .never
      policy.kernelThreads = .never
    }
  }

  private func attained(_ life: RecordedLife) throws -> Attainment {
    try #require(
      try life.ledger().holders.first { $0.name == "gaming" }?.attained.first)
  }

  private func word(_ life: RecordedLife, _ path: String) throws -> String {
    try life.word(HostPath(foreign: "/sys/fs/cgroup/\(path)"))
  }

  private func isolated(_ life: RecordedLife) throws -> String {
    try word(life, "cpuset.cpus.isolated")
  }

  /// Somebody writes to a group, as libvirt does.
  private func write(_ text: String, _ path: String, _ life: RecordedLife) throws {
    try life.host.kernel.write(text, to: HostPath(foreign: "/sys/fs/cgroup/\(path)"))
  }

  // MARK: Who is there already

  /// A QEMU of libvirt's whose vCPU, emulator and iothread may run on some CPUs.
  static func qemu(
    vcpu: String, emulator: String = "0-15", iothread: String = "0-15", scope cpus: String = "0-15"
  ) -> String {
    let scope = "machine.slice/machine-qemu\\\\x2d2\\\\x2dweb.scope"
    var lines = """
      run/libvirt/qemu/web.pid\t5100\\c
      proc/5100/cmdline\t/usr/bin/qemu-system-x86_64\\0-name\\0guest=web,debug-threads=on\\0\\c
      sys/fs/cgroup/\(scope)/cgroup.procs\t\\c
      sys/fs/cgroup/\(scope)/cpuset.cpus\t\(cpus)
      sys/fs/cgroup/\(scope)/cpuset.cpus.effective\t\(cpus)
      sys/fs/cgroup/\(scope)/cpuset.cpus.exclusive\t\\n\\c
      sys/fs/cgroup/\(scope)/cpuset.cpus.partition\tmember

      """
    let threads = [
      (5100, "qemu-system-x86", emulator), (5101, "CPU 0/KVM", vcpu),
      (5102, "IO iothread1", iothread),
    ]
    for (tid, name, cpus) in threads {
      for folder in tid == 5100 ? ["proc/5100", "proc/5100/task/5100"] : ["proc/5100/task/\(tid)"] {
        lines += """
          \(folder)/comm\t\(name)
          \(folder)/cgroup\t0::/\(scope)/libvirt/emulator
          \(folder)/status\tName:\\t\(name)
          \tCpus_allowed:\\tffff
          \tCpus_allowed_list:\\t\(cpus)
          \(folder)/stat\t\(tid) (\(name)) S 1 5100 5100 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 3 0 9000000 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0

          """
      }
    }
    return lines
  }

  /// The threads of a QEMU that nobody has told Berth of, and what is left to isolate then.
  @Test(arguments: [
    (qemu(vcpu: "7"), "5-6,13-15", "vCPU 4 of gaming is not isolated: web is on CPU 7 as well"),
    (
      qemu(vcpu: "6-7"), "5,13-15",
      "vCPUs 2,4 of gaming are not isolated: web is on CPUs 6-7 as well"
    ),
    (
      qemu(vcpu: "0-15", emulator: "14"), "5-7,13,15",
      "vCPU 3 of gaming is not isolated: web is on CPU 14 as well"
    ),
    (
      qemu(vcpu: "0-15", iothread: "14-15"), "5-7,13",
      "vCPUs 3,5 of gaming are not isolated: web is on CPUs 14-15 as well"
    ),
    (qemu(vcpu: "0-15", emulator: "4,5", iothread: "0-7"), "5-7,13-15", nil),
    (qemu(vcpu: "0-15"), "5-7,13-15", nil),
    // What its group lets it use is no pin of its own.
    (qemu(vcpu: "0-7", emulator: "0-7", iothread: "0-7", scope: "0-7"), "5-7,13-15", nil),
  ])
  func aQEMUWithoutBerthKeepsItsCPUs(lines: String, left: String, miss: String?) throws {
    let life = try life(lines)
    let before = try life.host.kernel.affinity(of: 5101)
    #expect(try start(life) == [])
    #expect(try isolated(life) == left)
    #expect(
      try attained(life).misses.filter { $0.name != "VM partition" }.map(\.reason)
        == [miss].compactMap(\.self))
    let after = try life.host.kernel.affinity(of: 5101)
    if before.count < 15, before != CPUList(0...7) { #expect(after == before) }
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  @Test func slicesLeaveAQEMUWithoutBerthAloneAsWell() throws {
    let life = try life(Self.qemu(vcpu: "7"), kernel: "6.1.176")
    // Up to 6.1 a thread keeps its CPUs as long as those of its group do not change, of which libvirt has one
    // for each vCPU.
    let group = "machine.slice/machine-qemu\\\\x2d2\\\\x2dweb.scope/libvirt/vcpu0"
    try life.host.add(
      """
      sys/fs/cgroup/\(group)/cgroup.procs\t\\c
      sys/fs/cgroup/\(group)/cpuset.cpus\t7
      sys/fs/cgroup/\(group)/cpuset.cpus.effective\t7
      proc/5100/task/5101/cgroup\t0::/\(group)

      """)
    #expect(try start(life) == [])
    #expect(try attained(life).rung == "slices")
    #expect(try word(life, "system.slice/cpuset.cpus.effective") == "0-4,7-12")
    #expect(try life.host.kernel.affinity(of: 5101) == [7])
    #expect(try life.releaseAll() == [])
  }

  @Test func oneThatHasEndedGivesItsCPUsToWhomTheyWerePromised() throws {
    let life = try life(Self.qemu(vcpu: "7"))
    #expect(try start(life) == [])
    #expect(try isolated(life) == "5-6,13-15")
    try life.host.remove("/proc/5100")
    let said = try life.reconcile()
    #expect(
      said == [
        "isolation of gaming: vCPU partitions with CPUs 5-7,13-15 now, and vCPU partitions with CPUs "
          + "5-6,13-15 before"
      ])
    #expect(try isolated(life) == "5-7,13-15")
    #expect(try attained(life).misses == [])
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  // MARK: Who comes later

  /// A domain inside of the CPUs of the one that runs.
  private static func newcomer(_ pin: CPUList = [7]) -> Domain {
    RecordedLife.domain("web", on: Array(pin))
  }

  @Test func aStartThatTheKernelWouldRefuseIsRefusedBefore() throws {
    let life = try life()
    #expect(try start(life) == [])
    let refusal = #expect(throws: PhaseRefusal.self) {
      try life.play(.prepare, Self.newcomer()) { $0.isEnabled = false }
    }
    let sentence = try #require(refusal?.reasons.first)
    #expect(sentence.contains("vCPU 0 of web is pinned to CPU 7, which gaming has to itself"))
    #expect(sentence.contains("cpu.contested = \"yield\""))
    #expect(try isolated(life) == "5-7,13-15")
    #expect(try life.ledger().holders.map(\.name) == ["gaming"])
    #expect(try life.releaseAll() == [])
  }

  @Test(arguments: [true, false])
  func whoYieldsGivesBackThoseCPUsAndNoOthers(isEnabled: Bool) throws {
    let life = try life()
    life.tell(Self.domain) { $0.cpu.contested = .yield }
    #expect(try start(life) == [])
    let said = try life.play(.prepare, Self.newcomer()) { policy in
      policy.isEnabled = isEnabled
      policy.isolation = .auto
    }
    #expect(said.contains { $0.contains("gaming gives back CPU 7") }, "\(said)")
    #expect(said.contains { $0.contains("web is on CPU 7 as well") }, "\(said)")
    #expect(try isolated(life) == "5-6,13-15")
    #expect(try word(life, "machine.slice/cpuset.cpus.effective").contains("7"))
    // It goes on pinned.
    #expect(try life.host.kernel.affinity(of: 4264) == [7])
    #expect(try attained(life).rung == "vCPU partitions")
    // Nobody takes it anew before the newcomer's threads are there.
    #expect(try life.reconcile() == [])
    #expect(try isolated(life) == "5-6,13-15")

    // It has it again once the other one has left.
    #expect(try life.play(.release, Self.newcomer()) == [])
    #expect(try life.reconcile().count == 1)
    #expect(try isolated(life) == "5-7,13-15")
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  @Test func onePartitionForAllGoesAsAWhole() throws {
    let life = try life()
    var domain = Self.domain
    domain.emulatorPin = [5, 13]
    try write("5,13", "\(Self.groups)/emulator/cpuset.cpus", life)
    life.tell(domain) { $0.cpu.contested = .yield }
    _ = try life.play(.started, domain) { policy in
      policy.isolation = .auto
      policy.interrupts.move = .never
      policy.kernelThreads = .never
    }
    #expect(try attained(life).rung == "VM partition")
    let said = try life.play(.prepare, Self.newcomer([4]))
    #expect(said.contains { $0.contains("gaming gives back CPU 4") }, "\(said)")
    #expect(try word(life, "machine.slice/cpuset.cpus.effective").hasPrefix("0-"))
    #expect(try life.host.kernel.affinity(of: 4260) == [5])
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  // MARK: What is pinned and plugged while it runs

  @Test func aPinThatIsWidenedAndNarrowedIsFollowed() throws {
    let life = try life()
    #expect(try start(life) == [])
    var domain = Self.domain
    // virsh vcpupin gaming 0 3,5, and then 3: the kernel refuses to go from 5 to 3 at once.
    domain.vcpuPins[0] = [3, 5]
    try write("3,5", "\(Self.groups)/vcpu0/cpuset.cpus", life)
    life.tell(domain)
    #expect(try life.reconcile().count == 1)
    #expect(try isolated(life) == "6-7,13-15")
    try life.host.kernel.setAffinity([3, 5], of: 4260)

    domain.vcpuPins[0] = [3]
    try write("3", "\(Self.groups)/vcpu0/cpuset.cpus", life)
    try life.host.kernel.setAffinity([3], of: 4260)
    life.tell(domain)
    #expect(try life.reconcile().count == 1)
    #expect(try isolated(life) == "3,6-7,13-15")
    #expect(try life.reconcile() == [])
    #expect(try life.ledger().holders.first?.vcpuCPUs == [3, 6, 7, 13, 14, 15])
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  @Test func aPinThatTheKernelRefusesIsUndoneWithASentence() throws {
    let life = try life()
    #expect(try start(life) == [])
    // virsh vcpupin gaming 0 3
    try write("3", "\(Self.groups)/vcpu0/cpuset.cpus", life)
    #expect(throws: HostError.self) { try life.host.kernel.setAffinity([3], of: 4260) }
    let said = try life.reconcile()
    #expect(
      said == [
        "vCPU 0 of gaming stays on CPU 5, which it has to itself: the kernel has refused to pin it to 3; "
          + "pin it to 3,5 first, and then to 3"
      ])
    #expect(try word(life, "\(Self.groups)/vcpu0/cpuset.cpus") == "5")
    #expect(try life.reconcile() == [])
    #expect(try isolated(life) == "5-7,13-15")
    #expect(try life.releaseAll() == [])
    #expect(try life.host.kernel.affinity(of: 4260) == [5])
  }

  @Test func somebodyIsToldWhenAVCPUIsPinned() throws {
    let units = RememberedUnits()
    let life = try RecordedLife("proc/sys/kernel/osrelease\t6.12.48\n", units: units)
    try life.host.prepareAndStartGaming()
    life.tell(Self.domain)
    #expect(try start(life) == [])
    #expect(try life.reconcile() == [])
    let watch = try #require(units.units.first { !$0.watchedFiles.isEmpty })
    #expect(watch.startedName == "berth-pins-libvirt-gaming-4242.path")
    #expect(
      watch.watchedFiles
        == (0..<6).map { "/sys/fs/cgroup/\(Self.groups)/vcpu\($0)/cpuset.cpus" })
    #expect(try life.reconcile() == [])
    #expect(units.units.filter { !$0.watchedFiles.isEmpty }.count == 1)
    try life.host.stopGaming()
    #expect(try life.reconcile() == [])
    #expect(units.names == [])
  }

  @Test(arguments: ["6.12.48", "7.2.1"])
  func anEmulatorThatIsPinnedOntoAVCPUsCPULeavesItAgain(kernel: String) throws {
    let life = try life(kernel: kernel)
    #expect(try start(life) == [])
    var domain = Self.domain
    domain.emulatorPin = [4, 5]
    try write("4-5", "\(Self.groups)/emulator/cpuset.cpus", life)
    life.tell(domain)
    #expect(try life.reconcile() == [])
    #expect(try isolated(life) == "5-7,13-15")
    #expect(try word(life, "\(Self.groups)/emulator/cpuset.cpus") == "4")
    #expect(try word(life, "\(Self.groups)/vcpu0/cpuset.cpus.partition") == "isolated")
    #expect(try life.reconcile() == [])
    // And once more, while its list is Berth's.
    domain.emulatorPin = [4, 5, 6]
    try write("4-6", "\(Self.groups)/emulator/cpuset.cpus", life)
    life.tell(domain)
    #expect(try life.reconcile() == [])
    #expect(try word(life, "\(Self.groups)/emulator/cpuset.cpus") == "4")
    #expect(try isolated(life) == "5-7,13-15")
    #expect(try life.reconcile() == [])
    // What it is given back is what it was told last.
    #expect(try life.releaseAll() == [])
    #expect(try word(life, "\(Self.groups)/emulator/cpuset.cpus") == "4-6")
    #expect(try life.ledger().isEmpty)
  }

  @Test func aVCPUThatIsPluggedIsIsolatedAndOneThatIsUnpluggedLeavesItsCPU() throws {
    let life = try life()
    var domain = Self.domain
    domain.offVCPUs = [5]
    life.tell(domain)
    _ = try life.play(.started, domain) { policy in
      policy.isolation = .auto
      policy.interrupts.move = .never
      policy.kernelThreads = .never
    }
    #expect(try isolated(life) == "5-7,13-14")
    life.tell(Self.domain)
    #expect(try life.reconcile().count <= 1)
    #expect(try isolated(life) == "5-7,13-15")
    life.tell(domain)
    _ = try life.reconcile()
    #expect(try isolated(life) == "5-7,13-14")
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  @Test func aGroupThatComesWhileSlicesStandIsConfinedAtTheNextLook() throws {
    let life = try life(kernel: "6.1.176")
    #expect(try start(life) == [])
    try life.host.add(
      """
      sys/fs/cgroup/lxc.payload.web/cgroup.procs\t\\c
      sys/fs/cgroup/lxc.payload.web/cgroup.events\tpopulated 1
      sys/fs/cgroup/lxc.payload.web/cpuset.cpus\t\\n\\c
      sys/fs/cgroup/lxc.payload.web/cpuset.cpus.effective\t0-15

      """)
    #expect(try life.reconcile() == [])
    #expect(try word(life, "lxc.payload.web/cpuset.cpus.effective") == "0-4,8-12")
    #expect(try attained(life).rung == "slices")
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  @Test func whatPolicyNoLongerWantsGoesBack() throws {
    let life = try life()
    #expect(try start(life) == [])
    life.tell(Self.domain) { $0.isolation = .none }
    #expect(try life.reconcile().count == 1)
    #expect(try isolated(life) == "")
    #expect(try life.ledger().holders.map(\.name) == ["gaming"])
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  @Test func aCPUThatIsOfflineForAWhileIsNobodysWish() throws {
    let life = try life()
    #expect(try start(life) == [])
    try life.host.kernel.write("0", to: "/sys/devices/system/cpu/cpu5/online")
    #expect(try life.reconcile() == [])
    #expect(try word(life, "\(Self.groups)/vcpu0/cpuset.cpus.partition") == "isolated")
    try life.host.kernel.write("1", to: "/sys/devices/system/cpu/cpu5/online")
    #expect(try life.reconcile() == [])
    #expect(try isolated(life) == "5-7,13-15")
    #expect(try life.host.kernel.affinity(of: 4260) == [5])
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  // MARK: Whose QEMU ends meanwhile

  /// What other tasks may use, which nothing confines for a domain that is over.
  private func slices(_ life: RecordedLife) throws -> [String] {
    try ["system.slice", "user.slice", "init.scope"].map { try word(life, "\($0)/cpuset.cpus") }
  }

  @Test func aQEMUThatEndsAsBerthLooksIsNotPlannedForAnew() throws {
    let life = try life()
    #expect(try start(life) == [])
    let before = try slices(life)
    life.running.whenAsked = { try life.host.stopGaming() }
    #expect(try life.reconcile() == [])
    #expect(try attained(life).rung == "vCPU partitions")
    #expect(try slices(life) == before)
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  @Test(arguments: 1...2)
  func aGroupThatGoesWithItsQEMURefusesNothing(save: Int) throws {
    let life = try life()
    let before = try slices(life)
    var saves = 0
    life.store.beforeSaving = {
      saves += 1
      if saves == save { #expect(throws: Never.self) { try life.host.stopGaming() } }
    }
    _ = try start(life)
    #expect(saves >= save)
    #expect(try slices(life) == before)
    #expect(try life.ledger().holders.first?.attained.first?.rung != "slices")
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
  }

  @Test func aDomainOfWhichNobodyTellsKeepsWhatItHas() throws {
    let life = try life()
    #expect(try start(life) == [])
    life.running.requests = [:]
    #expect(try life.reconcile() == [])
    #expect(try isolated(life) == "5-7,13-15")
    #expect(try life.releaseAll() == [])
  }
}
