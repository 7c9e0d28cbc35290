import Bytes
import HostModel
import Port
import Support
import Testing

@testable import Recorded

/// Which CPUs the kernel lets cgroups have beside one another.
struct ExclusivityTests {
  private static let scope: HostPath =
    "/sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dgaming.scope"
  private static let groups: HostPath = "\(scope)/libvirt"
  private static let notExclusive = "isolated invalid (Cpu list in cpuset.cpus not exclusive)"

  /// A workstation with a kernel whose VM runs and may have CPUs 5-7,13-15 to itself.
  private func host(kernel release: String = "6.12.48", cmdline: String = "quiet") throws
    -> Workstation
  {
    let host = try Workstation()
    try host.add("proc/sys/kernel/osrelease\t\(release)\nproc/cmdline\t\(cmdline)")
    try host.prepareAndStartGaming()
    for group in ["/sys/fs/cgroup/machine.slice", Self.scope, Self.groups] as [HostPath]
    where host.kernel.exists("\(group)/cpuset.cpus.exclusive") {
      try host.kernel.write("5-7,13-15", to: "\(group)/cpuset.cpus.exclusive")
    }
    return host
  }

  private func write(_ text: String, _ file: String, _ group: HostPath, on host: Workstation) throws
  {
    try host.kernel.write(text, to: "\(group)/\(file)")
  }

  private func partition(
    _ group: HostPath, _ cpus: String, as kind: String = "isolated", on host: Workstation
  ) throws -> String {
    try write(cpus, "cpuset.cpus.exclusive", group, on: host)
    try write(kind, "cpuset.cpus.partition", group, on: host)
    return try host.word("\(group)/cpuset.cpus.partition")
  }

  @Test(arguments: [
    ("6.12.48", notExclusive), ("6.17.9", notExclusive), ("7.2.1", "isolated"),
  ])
  func aPartitionWhoseCPUsASiblingMayUseIsRefused(release: String, state: String) throws {
    let host = try host(kernel: release)
    try write("5-6,13-14", "cpuset.cpus", "\(Self.groups)/emulator", on: host)
    #expect(try partition("\(Self.groups)/vcpu0", "5", on: host) == state)
    #expect(try partition("\(Self.groups)/vcpu4", "7", on: host) == "isolated")
    let isolated = try host.word("/sys/fs/cgroup/cpuset.cpus.isolated")
    #expect(isolated == (state == "isolated" ? "5,7" : "7"))
    try write("4,12", "cpuset.cpus", "\(Self.groups)/emulator", on: host)
    try write("isolated", "cpuset.cpus.partition", "\(Self.groups)/vcpu0", on: host)
    #expect(try host.word("/sys/fs/cgroup/cpuset.cpus.isolated") == "5,7")
  }

  @Test(arguments: ["6.12.48", "7.2.1"])
  func exclusiveCPUsThatHoldAllOfASiblingsAreRefused(release: String) throws {
    let host = try host(kernel: release)
    try write("5", "cpuset.cpus", "\(Self.groups)/emulator", on: host)
    #expect(throws: HostError.self) {
      try write("5", "cpuset.cpus.exclusive", "\(Self.groups)/vcpu0", on: host)
    }
  }

  @Test(arguments: [("6.12.48", true), ("7.2.1", false)])
  func aSiblingThatComesToAPartitionsCPUEndsIt(release: String, ends: Bool) throws {
    let host = try host(kernel: release)
    #expect(try partition("\(Self.groups)/vcpu0", "5", on: host) == "isolated")
    try write("5-6", "cpuset.cpus", "\(Self.groups)/emulator", on: host)
    let state = try host.word("\(Self.groups)/vcpu0/cpuset.cpus.partition")
    #expect(state == (ends ? "isolated invalid" : "isolated"))
    let effective = try host.word("\(Self.groups)/emulator/cpuset.cpus.effective")
    #expect(effective == (ends ? "5-6" : "6"))
  }

  @Test(arguments: [
    ("6.12.48", "root", "root"), ("6.12.48", "isolated", "isolated"),
    ("6.19.0", "root", "root invalid (partition config conflicts with housekeeping setup)"),
    ("6.19.0", "isolated", "isolated"),
  ])
  func whatTheKernelWasStartedWithoutMayOnlyBeIsolated(
    release: String, kind: String, state: String
  ) throws {
    let host = try host(kernel: release, cmdline: "quiet isolcpus=managed_irq,domain,5-6")
    #expect(try partition("\(Self.groups)/vcpu0", "5", as: kind, on: host) == state)
    #expect(try partition("\(Self.groups)/vcpu4", "7", as: kind, on: host) == kind)
  }

  @Test func aGroupAtTheTopIsAPartitionOfItsOwnList() throws {
    let host = try host(cmdline: "isolcpus=2")
    let group: HostPath = "/sys/fs/cgroup/user.slice"
    try write("2-3", "cpuset.cpus", group, on: host)
    try write("root", "cpuset.cpus.partition", group, on: host)
    #expect(
      try host.word("\(group)/cpuset.cpus.partition")
        == "root invalid (partition config conflicts with housekeeping setup)")
    try write("3", "cpuset.cpus", group, on: host)
    try write("root", "cpuset.cpus.partition", group, on: host)
    #expect(try host.word("\(group)/cpuset.cpus.partition") == "root")
    #expect(try host.word("/sys/fs/cgroup/cpuset.cpus.effective") == "0-2,4-15")
    #expect(try host.word("/sys/fs/cgroup/cpuset.cpus.isolated") == "2")
  }

  @Test func aPartitionAboveOthersHasNoneOfTheirCPUs() throws {
    let host = try host()
    #expect(try partition("\(Self.groups)/vcpu0", "5", on: host) == "isolated")
    #expect(
      try partition(Self.scope, "5-7,13-15", as: "root", on: host)
        == "root invalid (Invalid cpu list in cpuset.cpus.exclusive)")
  }

  @Test func aTaskCannotGoWhereItsGroupHasNoCPU() throws {
    let host = try host()
    #expect(try partition("\(Self.groups)/vcpu0", "5", on: host) == "isolated")
    #expect(throws: HostError.self) { try host.kernel.setAffinity([5], of: 640) }
    try host.kernel.setAffinity([5, 6], of: 640)
    #expect(try host.kernel.affinity(of: 640) == [6])
  }

  @Test(arguments: [("6.1.0", true), ("6.17.9", true), ("7.2.1", false)])
  func aGroupWithTasksThatIsEmptiedStaysConfined(release: String, isRefused: Bool) throws {
    let host = try host(kernel: release)
    let group: HostPath = "/sys/fs/cgroup/user.slice"
    try write("0-1", "cpuset.cpus", group, on: host)
    if isRefused {
      #expect(throws: HostError.self) { try write("", "cpuset.cpus", group, on: host) }
    } else {
      try write("", "cpuset.cpus", group, on: host)
    }
    #expect(try host.word("\(group)/cpuset.cpus.effective") == (isRefused ? "0-1" : "0-15"))
  }
}
