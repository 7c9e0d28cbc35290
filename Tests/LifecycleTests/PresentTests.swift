import Bytes
import HostModel
import Ledger
internal import Recorded
import Support
import Testing

/// Domains that come while others leave or arrive: a plan sees through those who leave, and counts
/// nothing twice of those on their way in.
struct PresentTests {
  private static let node: HostPath = "/sys/devices/system/node/node1/hugepages/hugepages-2048kB"
  private static let all: HostPath = "/sys/kernel/mm/hugepages/hugepages-2048kB"
  private static let pool = Setting.hugepagePool(HugepagePool(node: 1, pageKiB: 2048))
  private static let pages = 1024

  private func domain(_ name: String, on cpu: Int) -> Domain {
    var domain = RecordedLife.domain(name, on: [cpu])
    domain.cells = [
      GuestCell(
        id: 0, memoryKiB: Self.pages * 2048, pageKiB: 2048, hostNodes: [1], mode: .strict)
    ]
    return domain
  }

  private func qemu(_ name: String, _ pid: Int, taken: Int = 0) -> String {
    """
    run/libvirt/qemu/\(name).pid\t\(pid)
    proc/\(pid)/stat\t\(pid) (qemu) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0
    proc/\(pid)/cmdline\t/usr/bin/qemu-system-x86_64\\0-name\\0guest=\(name),debug-threads=on\\0\\c
    proc/\(pid)/status\tHugetlbPages: \(taken * 2048) kB

    """
  }

  /// The life of a host on which a domain is in.
  private func life(of domain: Domain, _ pid: Int) throws -> RecordedLife {
    let life = try RecordedLife()
    #expect(try life.play(.prepare, domain) == [])
    try life.host.add(qemu(domain.name, pid))
    #expect(try life.play(.started, domain) == [])
    return life
  }

  private func end(_ name: String, _ pid: Int, _ life: RecordedLife) throws {
    try life.host.remove("/proc/\(pid)")
    try life.host.remove("/run/libvirt/qemu")
  }

  /// What QEMUs have touched of the pool, and mapped besides.
  private func use(_ touched: Int, reserving reserved: Int, _ life: RecordedLife) throws {
    let free = try #require(Int(try life.word("\(Self.node)/nr_hugepages"))) - touched
    for path in [Self.node, Self.all] {
      try life.host.add("\(path.below(.root))/free_hugepages\t\(free)\n")
    }
    try life.host.add("\(Self.all.below(.root))/resv_hugepages\t\(reserved)\n")
  }

  private func claims(_ life: RecordedLife) throws -> [Claim] {
    try life.ledger().entries.first { $0.setting == Self.pool }?.claims.map(\.claim) ?? []
  }

  @Test func pagesOfADomainThatIsGoneAreTakenOver() throws {
    let (a, b) = (domain("a", on: 5), domain("b", on: 6))
    let life = try life(of: a, 40)
    try end("a", 40, life)
    #expect(try life.play(.prepare, b) == [])
    #expect(try claims(life) == [.more(Self.pages, need: Self.pages)])
    #expect(try life.play(.start, b) == [])
    #expect(try life.play(.release, b) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
    #expect(try life.ledger() == Ledger())
  }

  /// libvirt cleans up after a QEMU for a while before it says that the domain has left.
  @Test func pagesOfADomainWhoseQEMUIsGoneAreNotFree() throws {
    let (a, b) = (domain("a", on: 5), domain("b", on: 6))
    let life = try life(of: a, 40)
    try life.host.remove("/proc/40")
    // Its memory is not free yet: that is no stranger's.
    try use(Self.pages, reserving: 0, life)
    #expect(try life.play(.prepare, b) == [])
    #expect(
      try claims(life) == Array(repeating: .more(Self.pages, need: Self.pages), count: 2))
    try use(0, reserving: 0, life)
    #expect(try life.play(.release, a) == [])
    #expect(try life.word("\(Self.node)/nr_hugepages") == "\(Self.pages)")
    #expect(try life.play(.start, b) == [])
    #expect(try life.play(.release, b) == [])
    try life.host.remove("/run/libvirt/qemu")
    #expect(try life.difference(below: "/sys", "/proc") == [])
    #expect(try life.ledger() == Ledger())
  }

  /// Strangers' surplus goes to whoever makes a pool grow first; once that one leaves, the pages would
  /// become surplus again, and those of a domain on its way in would be the free ones that go.
  @Test func aDomainOnItsWayInKeepsItsPagesWhenTheOneLeavesThatTookStrangersSurplus() throws {
    let (a, b) = (domain("a", on: 5), domain("b", on: 6))
    let life = try RecordedLife()
    let strangers = 100
    for path in [Self.node, Self.all] {
      for name in ["nr_hugepages", "surplus_hugepages"] {
        try life.host.add("\(path.below(.root))/\(name)\t\(strangers)\n")
      }
    }
    #expect(try life.play(.prepare, a) == [])
    #expect(try life.word("\(Self.node)/free_hugepages") == "\(Self.pages)")
    #expect(try life.play(.prepare, b) == [])
    #expect(try claims(life).map { "\($0)" } == ["1024 more, for 1024", "1124 more, for 1024"])
    #expect(try life.play(.release, a) == [])
    #expect(try life.word("\(Self.node)/free_hugepages") == "\(Self.pages)")
    #expect(try claims(life).map { "\($0)" } == ["1124 more, for 1024"])
    #expect(try life.play(.start, b) == [])
    #expect(try life.play(.release, b) == [])
    #expect(try life.word("\(Self.node)/nr_hugepages") == "\(strangers)")
    #expect(try life.word("\(Self.node)/surplus_hugepages") == "\(strangers)")
    #expect(try life.ledger() == Ledger())
  }

  /// A node may grant less than it seems to have: what it lacks comes from others, where the domain's
  /// memory may.
  @Test(arguments: [MemoryMode.strict, .preferred, .interleave])
  func whatANodeDoesNotGrantComesFromAnotherOneWhereItMay(mode: MemoryMode) throws {
    var a = domain("a", on: 5)
    let nodes: CPUList = mode == .preferred ? [1] : [0, 1]
    a.cells = [
      GuestCell(
        id: 0, memoryKiB: Self.pages * 2048, pageKiB: 2048, hostNodes: nodes, mode: mode)
    ]
    let limit = "\(Self.node)/nr_hugepages max 300"
    let life = try RecordedLife("recorded/limits\t\(limit)\n")
    let warnings = try life.play(.prepare, a)
    let told = warnings.filter { $0.contains("724 huge pages") }
    #expect(told.count == (mode == .interleave ? 0 : 1))
    #expect(try life.word("\(Self.node)/nr_hugepages") == "300")
    let other: HostPath = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB"
    #expect(try life.word("\(other)/nr_hugepages") == "724")
    #expect(try life.play(.start, a) == [])
    #expect(try life.play(.release, a) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
  }

  @Test func aKernelWithoutNUMAHasOnePoolOfEachSize() throws {
    let life = try RecordedLife()
    try life.host.remove("/sys/devices/system/node")
    var a = domain("a", on: 5)
    a.cells[0].hostNodes = nil
    #expect(try life.play(.prepare, a) == [])
    #expect(try life.word("\(Self.all)/nr_hugepages") == "\(Self.pages)")
    #expect(try life.play(.start, a) == [])
    #expect(try life.play(.release, a) == [])
    #expect(try life.word("\(Self.all)/nr_hugepages") == "0")
    #expect(try life.difference(below: "/sys/kernel", "/proc") == [])
  }

  /// Between a plan and its write others take and free pages of the same pool.
  @Test func whatAStartLacksIsCountedWhenItsPoolIsChanged() throws {
    let a = domain("a", on: 5)
    let life = try RecordedLife()
    life.store.meanwhile = {
      for path in [Self.node, Self.all] {
        for name in ["nr_hugepages", "surplus_hugepages"] {
          try life.host.add("\(path.below(.root))/\(name)\t60\n")
        }
      }
    }
    #expect(try life.play(.prepare, a) == [])
    #expect(try claims(life).map { "\($0)" } == ["1084 more, for 1024"])
    #expect(try life.word("\(Self.node)/free_hugepages") == "\(Self.pages)")
    #expect(try life.play(.start, a) == [])
  }

  @Test func pagesOfADomainThatIsLeavingAreTakenOver() throws {
    let life = try RecordedLife()
    let (a, b) = (domain("a", on: 5), domain("b", on: 6))
    #expect(try life.play(.prepare, a) == [])
    life.store.meanwhile = {
      let said = try life.play(.prepare, b)
      #expect(said == [])
    }
    #expect(try life.play(.release, a) == [])
    #expect(try claims(life) == [.more(Self.pages, need: Self.pages)])
    #expect(try life.word("\(Self.node)/nr_hugepages") == "\(Self.pages)")
    #expect(try life.play(.start, b) == [])
    #expect(try life.play(.release, b) == [])
    #expect(try life.difference(below: "/sys", "/proc") == [])
    #expect(try life.ledger() == Ledger())
  }

  @Test(arguments: [0, 300, 1024])
  func pagesThatAQEMUHasMappedAreCountedOnce(touched: Int) throws {
    let life = try RecordedLife()
    let (a, b, c) = (domain("a", on: 5), domain("b", on: 6), domain("c", on: 7))
    #expect(try life.play(.prepare, a) == [])
    #expect(try life.play(.prepare, b) == [])
    try use(touched, reserving: Self.pages - touched, life)
    try life.host.add(qemu("a", 40, taken: touched))
    #expect(try life.play(.start, b) == [])
    #expect(try life.play(.prepare, c) == [])
    #expect(
      try claims(life) == Array(repeating: .more(Self.pages, need: Self.pages), count: 3))
    try use(0, reserving: 0, life)
    try life.host.remove("/proc/40")
    try life.host.remove("/run/libvirt/qemu")
    for domain in [a, b, c] { #expect(try life.play(.release, domain) == []) }
    #expect(try life.difference(below: "\(Self.node)", "\(Self.all)", "/recorded") == [])
  }

  /// Proxmox gives nothing back, and says nothing of a start that failed.
  @Test func aCardOfAStartThatFailedGoesBackToItsOwnDriver() throws {
    let life = try RecordedLife(Card.lines())
    let function: HostPath = "/sys/bus/pci/devices/0000:45:00.0"
    var domains = [RecordedLife.domain("100", on: [5]), RecordedLife.domain("101", on: [6])]
    for index in domains.indices {
      domains[index].hypervisor = .proxmox
      domains[index].functions = [
        PassedFunction(address: try Card.address(0), isManaged: true, kind: .hostpci)
      ]
    }
    let zeros = Array(repeating: "0", count: 14).joined(separator: " ")
    for (index, domain) in domains.enumerated() {
      let pid = 70 + index
      try life.host.add(
        "proc/0/stat\t0 (berth) S \(pid) \(zeros) 0 0 0 50 0 0\n"
          + "proc/\(pid)/stat\t\(pid) (task) S 1 \(zeros) 0 0 0 50 0 0\n"
          + "proc/\(pid)/cmdline\ttask UPID\n")
      #expect(try life.play(.prepare, domain) == [])
      if index > 0 { continue }
      try life.host.kernel.write("0000:45:00.0", to: "\(function)/driver/unbind")
      try life.host.kernel.write("vfio-pci", to: "\(function)/driver_override")
      try life.host.kernel.write("0000:45:00.0", to: "/sys/bus/pci/drivers_probe")
      try life.host.kernel.write("\n", to: "\(function)/driver_override")
      try life.host.remove("/proc/\(pid)")
    }
    #expect(try life.ledger().holders.map(\.name) == ["101"])
    #expect(try life.host.kernel.destination(of: "\(function)/driver").hasSuffix("/vfio-pci"))
    #expect(try life.play(.started, domains[1]) == [])
    #expect(try life.play(.release, domains[1]) == [])
    #expect(try life.host.kernel.destination(of: "\(function)/driver").hasSuffix("/amdgpu"))
    #expect(try life.word("\(function)/power/control") == "auto")
    #expect(try life.difference(below: "/sys") == [])
    #expect(try life.ledger() == Ledger())
  }

  @Test func aLimitOfADomainThatIsGoneIsNoAdministrators() throws {
    let limit: HostPath = "/sys/devices/system/cpu/cpu5/power/pm_qos_resume_latency_us"
    let life = try RecordedLife("\(limit.below(.root))\t0\n")
    let (a, b) = (RecordedLife.domain("a", on: [5]), RecordedLife.domain("b", on: [5]))
    #expect(try life.play(.prepare, a) == [])
    try life.host.add(qemu("a", 40))
    #expect(try life.play(.started, a) { $0.cpu.maximumWakeupLatency = 2 } == [])
    #expect(try life.word(limit) == "2")
    #expect(try life.play(.prepare, b) { $0.cpu.maximumWakeupLatency = 20 } == [])
    try end("a", 40, life)
    #expect(try life.play(.started, b) { $0.cpu.maximumWakeupLatency = 20 } == [])
    #expect(try life.word(limit) == "20")
    #expect(try life.play(.release, b) == [])
    #expect(try life.difference(below: "/sys") == [])
    #expect(try life.ledger() == Ledger())
  }
}
