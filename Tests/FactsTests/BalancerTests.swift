import Bytes
import Glibc
import HostModel
import Support
import Testing

@testable import Facts
@testable import Live
@testable import Port
@testable import Recorded

/// What irqbalance says, and what is made of that.
struct BalancerTests {
  @Test(
    arguments: [
      ("SLEEP 10 BANNED 00000000", CPUList(), [Int]()),
      (
        "SLEEP 10 IRQ 24 LOAD 3 DIFF 1 CLASS 5 IRQ 9 LOAD 0 DIFF 0 CLASS 0 BANNED 00000001,000000f0",
        [4, 5, 6, 7, 32], [24, 9]
      ),
      ("SLEEP 10 BANNED 3\n", [0, 1], []),
    ] as [(String, CPUList, [Int])])
  func isReadAsItIsMeant(answer: String, cpus: CPUList, interrupts: [Int]) {
    #expect(
      Balancer.Setup(answer) == Balancer.Setup(bannedCPUs: cpus, bannedInterrupts: interrupts))
  }

  @Test(arguments: ["", "BANNED 3", "SLEEP 10 BANNED", "SLEEP 10 BANNED x", "SLEEP 10 3"])
  func nothingElseIsTakenForIt(answer: String) {
    #expect(Balancer.Setup(answer) == nil)
  }

  private func tell(
    _ cpus: CPUList, environment: String, isolated: String = ""
  ) throws -> String {
    let host = try Workstation()
    let rest = Array(repeating: "0", count: 31).joined(separator: " ")
    try host.add(
      """
      run/irqbalance/irqbalance812.sock\tbanned ff
      proc/812/stat\t812 (irqbalance) S 1 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 77 \(rest)
      proc/812/environ\t\(environment)\\c
      sys/devices/system/cpu/isolated\t\(isolated)
      sys/devices/system/cpu/nohz_full\t(null)

      """)
    let spy = SpyingKernel(kernel: host.kernel)
    let process = ProcessIdentity(pid: 812, startTime: 77)
    try Balancer(kernel: spy, process: process).ban(cpus, by: spy)
    return spy.orders.joined(separator: ";")
  }

  @Test(
    arguments: [
      (CPUList([4, 5, 9]), "", "", "settings cpus 4-5,9"),
      ([], "", "", "settings cpus NULL"),
      ([6, 7], "", "6-7", "settings cpus NULL"),
      ([6, 7], "A=1\\0IRQBALANCE_BANNED_CPULIST=6-7\\0", "", "settings cpus NULL"),
      ([6, 7], "IRQBALANCE_BANNED_CPUS=c0\\0", "5", "settings cpus NULL"),
      ([5], "IRQBALANCE_BANNED_CPUS=c0\\0", "5", "settings cpus 5"),
    ] as [(CPUList, String, String, String)])
  func whatItWouldDoByItselfIsLeftToItself(
    cpus: CPUList, environment: String, isolated: String, order: String
  ) throws {
    #expect(try tell(cpus, environment: environment, isolated: isolated) == order)
  }

  @Test func anEmptyListIsNothingThatItCanBeTold() throws {
    #expect(throws: HostError.self) { try tell([], environment: "", isolated: "5") }
  }

  @Test func noMoreIsSaidAtOnceThanItCanTake() throws {
    let host = try Workstation()
    let spy = SpyingKernel(kernel: host.kernel)
    let process = ProcessIdentity(pid: 1, startTime: 4)
    let balancer = Balancer(kernel: spy, process: process)
    let error = #expect(throws: HostError.self) {
      try balancer.ban(interrupts: Array(100..<300), by: spy)
    }
    #expect(error?.errno == EFBIG && spy.orders.isEmpty)
    try balancer.ban(interrupts: [24, 0, 9], by: spy)
    try balancer.ban(interrupts: [], by: spy)
    #expect(spy.orders == ["settings ban irqs 0 9 24", "settings ban irqs NONE"])
  }
}

/// What a real irqbalance makes of it.
///
/// Asked for by `BERTH_TEST_IRQBALANCE`, the path of the program: it moves the interrupts of the
/// machine, and may only be let loose where nobody minds.
@Suite(.enabled(if: irqbalance != nil))
struct BalancerLiveTests {
  @Test func doesWhatItIsToldAndTakesItBack() throws {
    let path = try #require(irqbalance)
    mkdir("/run/irqbalance", 0o755)
    var pid: pid_t = 0
    let arguments = [strdup(path), strdup("-f"), strdup("-t"), strdup("1"), nil]
    defer { for argument in arguments { free(argument) } }
    #expect(posix_spawn(&pid, path, nil, nil, arguments, nil) == 0)
    defer {
      // The signals that this thread blocks are blocked in what it starts, but not this one.
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
      unlink("/run/irqbalance/irqbalance\(pid).sock")
    }
    let kernel = LiveKernel()
    let process = try #require(try ProcessReader(kernel: kernel).identity(of: Int(pid)))
    let balancer = Balancer(kernel: kernel, process: process)
    try wait { (try? balancer.answers()) == true }
    #expect(try Balancer.running(on: kernel).contains { $0.process == process })
    let before = try balancer.setup()
    try wait { (try? balancer.ban([1], by: kernel)) != nil }
    try wait { try balancer.setup().bannedCPUs == [1] }
    try wait { (try? balancer.ban(before.bannedCPUs, by: kernel)) != nil }
    try wait { try balancer.setup() == before }
    let numbers = try FactReader(kernel: kernel).handledInterrupts().map(\.number).suffix(1)
    try wait { (try? balancer.ban(interrupts: Array(numbers), by: kernel)) != nil }
    try wait { try balancer.setup().bannedInterrupts == Array(numbers) }
    try wait { (try? balancer.ban(interrupts: before.bannedInterrupts, by: kernel)) != nil }
    try wait { try balancer.setup() == before }
  }

  /// It looks at the host once in a second here, and answers nobody while it places all interrupts
  /// anew.
  private func wait(until isSo: () throws -> Bool) throws {
    let kernel = LiveKernel()
    let deadline = kernel.now.advanced(byMilliseconds: 30_000)
    while (try? isSo()) != true {
      try #require(kernel.now < deadline, "irqbalance does not come to it")
      kernel.pause(milliseconds: 100)
    }
  }
}

private let irqbalance = getenv("BERTH_TEST_IRQBALANCE").map { String(cString: $0) }

/// A recorded kernel that notes what other programs are told.
private final class SpyingKernel: Kernel, AlteredReader {
  let kernel: any KernelReader
  private(set) var orders: [String] = []

  init(kernel: RecordedKernel) { self.kernel = kernel }

  func tell(_ order: String, at socket: HostPath, until deadline: Deadline) throws(HostError) {
    orders.append(order)
  }

  var ownPID: Int { 0 }
  func write(_ text: String, to path: HostPath) throws(HostError) {}
  func write(_ text: String, to path: HostPath, until deadline: Deadline) throws(HostError) {}
  func loadModule(named name: String, until deadline: Deadline) throws(HostError) {}
  func pause(milliseconds: Int) {}
  func setAffinity(_ cpus: CPUList, of tid: Int) throws(HostError) {}
  func setScheduler(_ scheduler: ThreadScheduler, of tid: Int) throws(HostError) {}
  func setCoreCookie(isOwn: Bool, of pid: Int) throws(HostError) {}
  func unloadModule(named name: String, until deadline: Deadline) throws(HostError) {}
  func set(
    _ attribute: VirtualFunctionAttribute, to text: String, ofVirtualFunction index: Int,
    of interface: String, until deadline: Deadline
  ) throws(HostError) {}
}
