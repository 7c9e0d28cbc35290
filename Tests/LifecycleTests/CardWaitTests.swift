import Bytes
import Glibc
import HostModel
import Ledger
import Lifecycle
import Port
internal import Recorded
import Support
import Testing
import Tunings

/// A start that waits for those who have a card open.
struct CardWaitTests {
  private func life(_ wait: Int, until round: Int?) throws -> (Patient, Request, Lifecycle) {
    let host = try Workstation()
    try host.add(Card.lines() + "proc/900/comm\tXorg\nproc/900/fd/4 -> /dev/dri/card1\n")
    let patient = Patient(host: host) { rounds in
      if rounds == round { unlink(host.root + "/proc/900/fd/4") }
    }
    var policy = Policy()
    policy.isolation = .none
    policy.pci.functions = [try Card.address(0)]
    policy.pci.waitMilliseconds = wait
    let lifecycle = Lifecycle(
      kernel: patient, systemd: host.systemd, store: MemoryStore(),
      observe: { patient.note($0) })
    let request = Request(domain: RecordedLife.domain(), phase: .prepare, policy: policy)
    return (patient, request, lifecycle)
  }

  private let holder = HolderID(hypervisor: .libvirt, id: "gaming")

  @Test func itGoesOnAsSoonAsTheyAreGone() throws {
    let (patient, request, lifecycle) = try life(10_000, until: 3)
    #expect(try lifecycle.play(request, by: holder).warnings == [])
    #expect(patient.rounds == 3)
    // One who stays is told of once.
    #expect(patient.waits == [["/dev/dri/card1 is open in Xorg (process 900)"]])
  }

  @Test(arguments: [(0, 0), (100, 1), (1200, 3)])
  func itIsRefusedOnceTheTimeIsOver(wait: Int, rounds: Int) throws {
    let (patient, request, lifecycle) = try life(wait, until: nil)
    let refusal = try #require(throws: PhaseRefusal.self) {
      try lifecycle.play(request, by: holder)
    }
    #expect(refusal.reasons[0].contains("Xorg (process 900)"))
    #expect(patient.rounds == rounds)
  }
}

/// The recorded kernel, on which something happens while somebody waits.
private final class Patient: Kernel {
  private let host: Workstation
  private let happens: (Int) -> Void
  private(set) var rounds = 0
  private(set) var waits: [[String]] = []

  init(host: Workstation, happens: @escaping (Int) -> Void) {
    self.host = host
    self.happens = happens
  }

  func note(_ event: EngineEvent) {
    if case .waiting(let phrases) = event { waits.append(phrases) }
  }

  func pause(milliseconds: Int) {
    rounds += 1
    happens(rounds)
  }

  func bytes(of path: HostPath) throws(HostError) -> [UInt8] { try host.kernel.bytes(of: path) }

  func bytes(of path: HostPath, until deadline: Deadline) throws(HostError) -> [UInt8] {
    try host.kernel.bytes(of: path, until: deadline)
  }

  func entries(of directory: HostPath) throws(HostError) -> [String] {
    try host.kernel.entries(of: directory)
  }

  func destination(of link: HostPath) throws(HostError) -> String {
    try host.kernel.destination(of: link)
  }

  func affinity(of tid: Int) throws(HostError) -> CPUList { try host.kernel.affinity(of: tid) }

  func scheduler(of tid: Int) throws(HostError) -> ThreadScheduler {
    try host.kernel.scheduler(of: tid)
  }

  var ownPID: Int { host.kernel.ownPID }

  var now: Deadline { host.kernel.now }

  func write(_ text: String, to path: HostPath) throws(HostError) {
    try host.kernel.write(text, to: path)
  }

  func write(_ text: String, to path: HostPath, until deadline: Deadline) throws(HostError) {
    try host.kernel.write(text, to: path, until: deadline)
  }

  func set(
    _ attribute: VirtualFunctionAttribute, to text: String, ofVirtualFunction index: Int,
    of interface: String, until deadline: Deadline
  ) throws(HostError) {
    try host.kernel.set(
      attribute, to: text, ofVirtualFunction: index, of: interface, until: deadline)
  }

  func setCoreCookie(isOwn: Bool, of pid: Int) throws(HostError) {
    try host.kernel.setCoreCookie(isOwn: isOwn, of: pid)
  }

  func tell(_ order: String, at socket: HostPath, until deadline: Deadline) throws(HostError) {
    try host.kernel.tell(order, at: socket, until: deadline)
  }

  func loadModule(named name: String, until deadline: Deadline) throws(HostError) {
    try host.kernel.loadModule(named: name, until: deadline)
  }

  func unloadModule(named name: String, until deadline: Deadline) throws(HostError) {
    try host.kernel.unloadModule(named: name, until: deadline)
  }

  func setAffinity(_ cpus: CPUList, of tid: Int) throws(HostError) {
    try host.kernel.setAffinity(cpus, of: tid)
  }

  func setScheduler(_ scheduler: ThreadScheduler, of tid: Int) throws(HostError) {
    try host.kernel.setScheduler(scheduler, of: tid)
  }
}
