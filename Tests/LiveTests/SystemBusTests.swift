import Bytes
import Glibc
import HostModel
import Support
import Testing

@testable import Live

/// What can be told of the bus without a systemd: SystemBusLiveTests has the rest.
struct SystemBusTests {
  let directory = TemporaryDirectory()

  @Test(
    arguments: [
      ([], []),
      ([0], [0x01]),
      ([0, 1, 2, 3], [0x0f]),
      ([7, 8], [0x80, 0x01]),
      ([64], [0, 0, 0, 0, 0, 0, 0, 0, 0x01]),
    ] as [(CPUList, [UInt8])])
  func masksHaveTheLowestCPUFirst(cpus: CPUList, mask: [UInt8]) {
    #expect(cpus.busMask == mask)
    #expect(CPUList(busMask: mask) == cpus)
    // systemd pads what it answers to whole words.
    #expect(CPUList(busMask: mask + [0, 0, 0]) == cpus)
  }

  @Test func aMaskBeyondAllCPUsIsCutOff() {
    let mask = [UInt8](repeating: 0xff, count: 1 << 16)
    #expect(CPUList(busMask: mask).count == CPUList.capacity)
  }

  @Test func aManagerThatDoesNotLetUsInIsGivenUp() throws {
    let peer = try Peer(at: "\(directory.place)/private")
    let start = LiveKernel().now
    let systemd = SystemBus(socket: peer.path)
    let error = #expect(throws: HostError.self) {
      try systemd.reload(until: start.advanced(byMilliseconds: 200))
    }
    #expect(
      error
        == HostError(
          .connect, peer.path, errno: ETIMEDOUT, diagnosis: "systemd does not answer"))
    #expect(LiveKernel().now.nanoseconds - start.nanoseconds < 3_000_000_000)
  }

  @Test func aManagerThatDoesNotAnswerIsGivenUp() throws {
    let peer = try Peer(at: "\(directory.place)/private")
    peer.letOneIn()
    let start = LiveKernel().now
    let systemd = SystemBus(socket: peer.path)
    let error = #expect(throws: HostError.self) {
      try systemd.setAllowedCPUs(
        [0], of: "a.slice", until: start.advanced(byMilliseconds: 500))
    }
    #expect(error?.operation == .call)
    #expect(error?.place == "a.slice")
    #expect(error?.value == "AllowedCPUs=0")
    #expect(error?.errno == ETIMEDOUT)
    #expect(LiveKernel().now.nanoseconds - start.nanoseconds < 3_000_000_000)
  }

  @Test func aManagerIsHardlyWaitedForAfterTheDeadline() throws {
    let peer = try Peer(at: "\(directory.place)/private")
    let systemd = SystemBus(socket: peer.path)
    let start = LiveKernel().now
    for _ in 0..<3 {
      let error = #expect(throws: HostError.self) { try systemd.reload(until: start) }
      #expect(error?.errno == ETIMEDOUT)
    }
    #expect(LiveKernel().now.milliseconds(from: start) < 400)
  }

  @Test func aMuteManagerCostsTheFirstCallItsPatienceAndTheOthersLess() throws {
    let peer = try Peer(at: "\(directory.place)/private")
    let systemd = SystemBus(socket: peer.path)
    let start = LiveKernel().now
    let deadline = start.advanced(byMilliseconds: 2_000)
    for unit in ["a.service", "b.service", "c.service"] {
      let error = #expect(throws: HostError.self) { try systemd.stop(unit, until: deadline) }
      #expect(error?.errno == ETIMEDOUT)
    }
    #expect(LiveKernel().now.milliseconds(from: start) < 2_500)
    let late = LiveKernel().now
    #expect(throws: HostError.self) {
      try systemd.state(of: "d.service", until: late.advanced(byMilliseconds: 60_000))
    }
    #expect((400..<2_000).contains(LiveKernel().now.milliseconds(from: late)))
  }
}

/// The file that systemd leaves behind.
struct RuntimeDropInTests {
  let directory = TemporaryDirectory()

  @Test(arguments: ["system.control", "transient"])
  func isFoundAndRemovedWhereSystemdKeepsIt(folder: String) throws {
    directory.directory(folder)
    directory.directory("\(folder)/user.slice.d")
    directory.file("\(folder)/user.slice.d/50-AllowedCPUs.conf")
    let dropIn = RuntimeDropIn(of: "user.slice", below: directory.place)
    #expect(try dropIn.exists)
    try dropIn.remove()
    try dropIn.remove()
    #expect(try !dropIn.exists)
    #expect(try LiveKernel().entries(of: "\(directory.place)/\(folder)").isEmpty)
  }

  @Test func leavesOtherPropertiesAlone() throws {
    directory.directory("system.control")
    directory.directory("system.control/user.slice.d")
    directory.file("system.control/user.slice.d/50-AllowedCPUs.conf")
    directory.file("system.control/user.slice.d/50-CPUWeight.conf")
    try RuntimeDropIn(of: "user.slice", below: directory.place).remove()
    let left = try LiveKernel().entries(of: "\(directory.place)/system.control/user.slice.d")
    #expect(left == ["50-CPUWeight.conf"])
  }

  @Test(arguments: ["", "..", "../../etc", "a/b", "a\0b"])
  func leadsNowhereElse(unit: String) {
    let error = #expect(throws: HostError.self) {
      try RuntimeDropIn(of: unit, below: directory.place).remove()
    }
    #expect(error?.errno == EINVAL)
  }
}

/// A socket at which somebody listens and says nothing, or no more than a welcome.
private final class Peer: @unchecked Sendable {
  let path: String
  private let number: Int32
  private var guest: Int32 = -1
  private var thread: pthread_t?

  init(at path: String) throws {
    self.path = path
    number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un(path)
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(number, address, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    try #require(listen(number, 4) == 0)
  }

  deinit {
    if let thread { pthread_join(thread, nil) }
    close(guest)
    close(number)
  }

  /// Answers the handshake of one connection, in a thread of its own.
  func letOneIn() {
    var started = pthread_t()
    pthread_create(
      &started, nil,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<Peer>.fromOpaque(pointer).takeUnretainedValue().welcome()
        return nil
      }, Unmanaged.passUnretained(self).toOpaque())
    thread = started
  }

  private func welcome() {
    guest = accept(number, nil, nil)
    let id = String(repeating: "0123456789abcdef", count: 2)
    let answer = Array("DATA\r\nOK \(id)\r\nAGREE_UNIX_FD\r\n".utf8)
    _ = write(guest, answer, answer.count)
  }
}
