import Bytes
import HostModel
import Ledger
import Lifecycle
import Port
internal import Recorded
import Support
import Testing
import Tunings

/// What isolation comes to on recorded hosts, by the code that a hook runs, and that all of it is given
/// back.
struct IsolationLifeTests {
  private static let scope =
    "/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dgaming.scope"
  private static let allPins: [Int: CPUList] = [
    0: [5], 1: [13], 2: [6], 3: [14], 4: [7], 5: [15],
  ]

  /// The domain of `gaming.xml` with other pins, as far as its CPUs are concerned.
  private static func domain(
    _ pins: [Int: CPUList] = allPins, emulator: CPUList? = [4, 12]
  ) -> Domain {
    var domain = Workstation.domain
    domain.vcpuPins = pins
    domain.emulatorPin = emulator
    domain.iothreads = 1
    domain.iothreadIDs = [1]
    domain.iothreadPins = [1: [4, 12]]
    return domain
  }

  /// The host with a kernel and what it has besides, on which the domain's QEMU runs as libvirt leaves
  /// it.
  private func life(
    kernel release: String, _ domain: Domain, _ lines: String = ""
  ) throws -> RecordedLife {
    let life = try RecordedLife("proc/sys/kernel/osrelease\t\(release)\n" + lines)
    try life.host.prepareAndStartGaming()
    func write(_ cpus: CPUList?, _ group: String) throws {
      let file = HostPath(foreign: "\(Self.scope)/libvirt/\(group)/cpuset.cpus")
      try life.host.kernel.write(cpus.map { "\($0)" } ?? "0-15", to: file)
    }
    for vcpu in 0..<6 { try write(domain.vcpuPins[vcpu], "vcpu\(vcpu)") }
    try write(domain.emulatorPin, "emulator")
    return life
  }

  private func start(
    _ life: RecordedLife, _ domain: Domain, _ isolation: Policy.Isolation = .auto
  ) throws -> [String] {
    try life.play(.started, domain) { policy in
      policy.isolation = isolation
      policy.interrupts.move = .never
      policy.kernelThreads = .never
    }
  }

  private func attained(_ life: RecordedLife) throws -> Attainment? {
    try life.ledger().holders.first?.attained.first
  }

  private func word(_ life: RecordedLife, _ path: String) throws -> String {
    try life.word(HostPath(foreign: "/sys/fs/cgroup/\(path)"))
  }

  /// What kernels tell from 6.8 on.
  private func isolated(_ life: RecordedLife) throws -> String {
    let file: HostPath = "/sys/fs/cgroup/cpuset.cpus.isolated"
    return life.host.kernel.exists(file) ? try life.word(file) : ""
  }

  /// Pins and kernels, and what a VM gets: the table of docs/ISOLATION.md.
  struct Cell: Sendable, CustomTestStringConvertible {
    var kernel: String
    var pins: [Int: CPUList] = IsolationLifeTests.allPins
    var emulator: CPUList? = [4, 12]
    var isolation = Policy.Isolation.auto
    var way: String?
    /// What `cpuset.cpus.isolated` tells.
    var isolated = ""
    /// What `system.slice` may use then.
    var left = "0-4,8-12"

    var testDescription: String { "\(kernel) \(pins) \(way ?? "none")" }
  }

  private static let mixed: [Int: CPUList] = [
    0: [4, 12], 1: [13], 2: [6], 3: [14], 4: [7], 5: [15],
  ]
  private static let ranges: [Int: CPUList] = [
    0: [5, 13], 1: [5, 13], 2: [6, 14], 3: [6, 14], 4: [7, 15], 5: [7, 15],
  ]

  static let cells: [Cell] = [
    // One CPU for each vCPU.
    Cell(kernel: "6.1.176", way: "slices"),
    Cell(kernel: "6.8.12", way: "slices"),
    Cell(kernel: "6.12.48", way: "vCPU partitions", isolated: "5-7,13-15"),
    Cell(kernel: "7.2.1", way: "vCPU partitions", isolated: "5-7,13-15"),
    // The emulator beside them, among them, and anywhere.
    Cell(kernel: "6.12.48", emulator: [4, 5, 6], way: "vCPU partitions", isolated: "5-7,13-15"),
    Cell(kernel: "7.2.1", emulator: [4, 5, 6], way: "vCPU partitions", isolated: "5-7,13-15"),
    Cell(kernel: "6.12.48", emulator: [5, 6, 13, 14], way: "VM partition", left: "0-3,8-11"),
    Cell(kernel: "7.2.1", emulator: [5, 6, 13, 14], way: "VM partition", left: "0-3,8-11"),
    Cell(kernel: "6.1.176", emulator: [5, 6, 13, 14], way: "slices"),
    Cell(kernel: "6.12.48", emulator: nil, way: "vCPU partitions", isolated: "5-7,13-15"),
    // Some vCPUs share.
    Cell(
      kernel: "6.12.48", pins: mixed, way: "vCPU partitions", isolated: "6-7,13-15",
      left: "0-5,8-12"),
    Cell(kernel: "6.1.176", pins: mixed, way: "slices", left: "0-5,8-12"),
    // All of them do.
    Cell(kernel: "6.12.48", pins: ranges, way: nil, left: "0-15"),
    Cell(kernel: "6.12.48", pins: ranges, isolation: .slices, way: "slices"),
    Cell(
      kernel: "6.12.48", pins: ranges, isolation: .partition, way: "VM partition",
      left: "0-3,8-11"),
    Cell(kernel: "6.1.176", pins: ranges, isolation: .slices, way: "slices"),
    Cell(kernel: "6.1.176", pins: ranges, isolation: .partition, way: nil, left: "0-15"),
    Cell(kernel: "6.12.48", isolation: .slices, way: "slices"),
    Cell(kernel: "6.12.48", pins: [:], way: nil, left: "0-15"),
  ]

  @Test(arguments: cells)
  func getsWhatTheTableSays(cell: Cell) throws {
    let domain = Self.domain(cell.pins, emulator: cell.emulator)
    let life = try life(kernel: cell.kernel, domain)
    let warnings = try start(life, domain, cell.isolation)
    #expect(try attained(life)?.rung == cell.way)
    #expect(try isolated(life) == cell.isolated)
    #expect(try word(life, "system.slice/cpuset.cpus.effective") == cell.left)
    #expect(try life.ledger().entries.allSatisfy { $0.verdict == nil })
    let isRefused = cell.kernel == "6.8.12" || cell.isolation == .partition && cell.way == nil
    #expect(warnings.isEmpty == !isRefused)

    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
    #expect(try isolated(life) == "")
    #expect(try word(life, "system.slice/cpuset.cpus.effective") == "0-15")
    let emulator = cell.emulator ?? CPUList(0...15)
    #expect(
      try word(life, "\(Self.scope.dropFirst(15))/libvirt/emulator/cpuset.cpus") == "\(emulator)")
  }

  @Test func aGroupBesideIsAPartitionsEndOnlyUntilItHasLeft() throws {
    let domain = Self.domain(emulator: [4, 5])
    let life = try life(kernel: "6.12.48", domain)
    #expect(try start(life, domain) == [])
    let group = "\(Self.scope.dropFirst(15))/libvirt"
    #expect(try word(life, "\(group)/emulator/cpuset.cpus") == "4")
    #expect(try word(life, "\(group)/vcpu0/cpuset.cpus.partition") == "isolated")
    try life.host.stopGaming()
    #expect(try life.play(.release, domain) == [])
    #expect(try life.ledger().isEmpty)
  }

  /// Everybody who is not on the way to the VM, with the CPUs that he has then.
  @Test(arguments: ["6.1.176", "7.2.1"])
  func slicesLeaveNobodyOnTheVCPUsCPUs(release: String) throws {
    let groups = [
      "kubepods.slice", "render.slice", "lxc.payload.web", "lxc",
      "machine.slice/libpod-77.scope", "machine.slice/machine-qemu\\\\x2d2\\\\x2dweb.scope",
    ]
    let lines = groups.map { group in
      """
      sys/fs/cgroup/\(group)/cgroup.procs\t\\c
      sys/fs/cgroup/\(group)/cgroup.events\tpopulated 1
      sys/fs/cgroup/\(group)/cpuset.cpus\t\\n\\c
      sys/fs/cgroup/\(group)/cpuset.cpus.effective\t0-15
      sys/fs/cgroup/\(group)/cpuset.cpus.exclusive\t\\n\\c
      sys/fs/cgroup/\(group)/cpuset.cpus.partition\tmember

      """
    }
    let domain = Self.domain()
    let life = try life(kernel: release, domain, lines.joined())
    #expect(try start(life, domain, .slices) == [])
    let others =
      ["init.scope", "system.slice", "user.slice", "machine.slice/systemd-nspawn@web.service"]
      + groups.map { $0.replacing("\\\\", with: "\\") }
    for group in others {
      #expect(try word(life, "\(group)/cpuset.cpus.effective") == "0-4,8-12", "\(group)")
    }
    #expect(try word(life, "machine.slice/cpuset.cpus.effective") == "0-15")
    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
    for group in others {
      #expect(try word(life, "\(group)/cpuset.cpus.effective") == "0-15", "\(group)")
    }
  }

  @Test func aGroupThatHasCPUsOfItsOwnIsLeftAlone() throws {
    let domain = Self.domain()
    let life = try life(kernel: "6.12.48", domain)
    try life.host.kernel.write("2-3", to: "/sys/fs/cgroup/user.slice/cpuset.cpus")
    try life.host.kernel.write("root", to: "/sys/fs/cgroup/user.slice/cpuset.cpus.partition")
    #expect(try start(life, domain, .slices) == [])
    #expect(try word(life, "user.slice/cpuset.cpus.partition") == "root")
    #expect(try word(life, "system.slice/cpuset.cpus.effective") == "0-1,4,8-12")
  }

  @Test func cpusetsOfCgroupV1AreSaidToBeOfNoUse() throws {
    let domain = Self.domain()
    let life = try RecordedLife("sys/fs/cgroup/cpuset/tasks\t1\n")
    let said = try life.play(.started, domain) { $0.isolation = .auto }
    #expect(said.contains { $0.contains("cgroup v1") })
    #expect(try life.ledger().holders.first?.attained.first?.rung == nil)
    _ = try life.releaseAll()
    #expect(throws: PhaseRefusal.self) {
      try life.play(.prepare, domain) { $0.isolation = .slices }
    }
  }

}
