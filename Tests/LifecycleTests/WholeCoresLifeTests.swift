import Bytes
import HostModel
import Ledger
import Port
internal import Recorded
import Support
import Testing
import Tunings

/// Whole cores on the recorded workstation (CPU n and n + 8 are a core), and that they are given back.
struct WholeCoresLifeTests {
  private static let scope = "machine.slice/machine-qemu\\x2d1\\x2dgaming.scope"

  private static var domain: Domain {
    var domain = Workstation.domain
    domain.vcpuPins = [0: [5], 1: [6], 2: [7]]
    domain.vcpus = 6
    domain.offVCPUs = [3, 4, 5]
    domain.emulatorPin = [4, 12, 13]
    domain.iothreads = 1
    domain.iothreadIDs = [1]
    domain.iothreadPins = [1: [4, 12]]
    return domain
  }

  private func life(kernel release: String) throws -> RecordedLife {
    let life = try RecordedLife("proc/sys/kernel/osrelease\t\(release)\n")
    try life.host.prepareAndStartGaming()
    for vcpu in 0..<6 { try write("\(Self.domain.vcpuPins[vcpu] ?? [0])", "vcpu\(vcpu)", life) }
    try write("4,12-13", "emulator", life)
    return life
  }

  private func write(_ cpus: String, _ group: String, _ life: RecordedLife) throws {
    let file = HostPath(foreign: "/sys/fs/cgroup/\(Self.scope)/libvirt/\(group)/cpuset.cpus")
    try life.host.kernel.write(cpus, to: file)
  }

  private func word(_ life: RecordedLife, _ path: String) throws -> String {
    try life.word(HostPath(foreign: "/sys/fs/cgroup/\(path)"))
  }

  @Test(arguments: [
    ("6.1.176", "slices", ""), ("6.12.48", "vCPU partitions", "5-7,13-15"),
    ("7.2.1", "vCPU partitions", "5-7,13-15"),
  ])
  func keepSiblingsIdleAndGiveThemBack(
    release: String, way: String, isolated: String
  ) throws {
    let life = try life(kernel: release)
    let said = try life.play(.started, Self.domain) { policy in
      policy.isolation = .auto
      policy.cpu.keepsWholeCores = true
      policy.kernelThreads = .never
      policy.interrupts.move = .never
    }
    #expect(said == [])
    let attained = try #require(life.ledger().holders.first?.attained)
    #expect(attained.map(\.rung) == [way, "idle CPUs 13-15 beside vCPUs 0-2"])
    #expect(attained.last?.misses == [])
    let file: HostPath = "/sys/fs/cgroup/cpuset.cpus.isolated"
    if life.host.kernel.exists(file) { #expect(try life.word(file) == isolated) }
    #expect(try word(life, "system.slice/cpuset.cpus.effective") == "0-4,8-12")
    #expect(try word(life, "\(Self.scope)/libvirt/emulator/cpuset.cpus") == "4,12")
    let neighbour = try #require(life.ledger().neighbours(of: nil).first)
    #expect(neighbour.isolatedCPUs == [5, 6, 7, 13, 14, 15])

    #expect(try life.releaseAll() == [])
    #expect(try life.ledger().isEmpty)
    if life.host.kernel.exists(file) { #expect(try life.word(file) == "") }
    #expect(try word(life, "system.slice/cpuset.cpus.effective") == "0-15")
    #expect(try word(life, "\(Self.scope)/libvirt/emulator/cpuset.cpus") == "4,12-13")
  }
}
