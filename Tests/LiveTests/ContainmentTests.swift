import CLinux
import Glibc
import HostModel
import Support
import Testing

@testable import Live

/// Each crash happens in a process of its own, which has to end as its phase says.
struct ContainmentTests {
  let directory = TemporaryDirectory()

  private static let signals = [
    SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGSYS, SIGXCPU, SIGTERM, SIGHUP, SIGINT,
    SIGQUIT,
  ]

  @Test(arguments: signals)
  func eachSignalEndsARunningVMsHookWithZero(signal: Int32) async {
    await #expect(processExitsWith: .exitCode(0)) { [signal] in
      try Crash.contained(status: 0)
      raise(signal)
      exit(99)
    }
  }

  @Test(arguments: signals)
  func eachSignalIsARefusalBeforeTheStart(signal: Int32) async {
    await #expect(processExitsWith: .exitCode(1)) { [signal] in
      try Crash.contained(status: 1)
      raise(signal)
      exit(99)
    }
  }

  @Test(arguments: [
    SIGXFSZ, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, 40,
  ])
  func whatNobodyMeansTheHookByEndsNothing(signal: Int32) async {
    await #expect(processExitsWith: .exitCode(7)) { [signal] in
      try Crash.contained(status: 0)
      raise(signal)
      exit(7)
    }
  }

  @Test(arguments: signals + [SIGKILL])
  func workInAChildEndsAsThePhaseSays(signal: Int32) async throws {
    let receiver = try Receiver(at: "\(directory.place)/socket")
    let (socket, mark) = (receiver.path, "\(directory.place)/crashed")
    await #expect(processExitsWith: .exitCode(0)) {
      [signal, socket = socket as String, mark = mark as String] in
      try Crash.contained(status: 0, journal: socket, mark: mark)
      Containment.goOnInChild()
      raise(signal)
      exit(99)
    }
    #expect(try receiver.fields()["MESSAGE"]?.contains(": the VM runs on") == true)
    #expect(access(mark, F_OK) == 0)
  }

  @Test(arguments: [SIGTERM, SIGSEGV])
  func whatTheParentIsSentEndsTheWork(signal: Int32) async {
    await #expect(processExitsWith: .exitCode(0)) { [signal] in
      try Crash.contained(status: 0)
      Containment.goOnInChild()
      kill(getppid(), signal)
      sleep(10)
      exit(99)
    }
  }

  @Test func workInAChildHasItsOwnStatus() async {
    await #expect(processExitsWith: .exitCode(5)) {
      signal(SIGCHLD, SIG_IGN)
      try Crash.contained(status: 0)
      Containment.goOnInChild()
      exit(5)
    }
  }

  @Test func aLimitThatSomebodySetStays() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let resource = __rlimit_resource_t(RLIMIT_CPU.rawValue)
      var limit = rlimit(rlim_cur: 30, rlim_max: 40)
      setrlimit(resource, &limit)
      try OwnLimits(memoryBytes: .max, cpuSeconds: 60).begin()
      getrlimit(resource, &limit)
      guard limit.rlim_cur == 30, limit.rlim_max == 40 else { exit(98) }
      try OwnLimits(memoryBytes: .max, cpuSeconds: 5).begin()
      getrlimit(resource, &limit)
      exit(limit.rlim_cur == 5 && limit.rlim_max == 40 ? 7 : 99)
    }
  }

  @Test func aTrapOfSwiftsOwnIsContained() async {
    await #expect(processExitsWith: .exitCode(0)) {
      try Crash.contained(status: 0)
      Crash.overflow(Int.max)
      exit(99)
    }
  }

  @Test func aStackThatIsUsedUpIsContained() async {
    await #expect(processExitsWith: .exitCode(0)) {
      try Crash.contained(status: 0)
      exit(Crash.depth(0) > 0 ? 99 : 98)
    }
  }

  @Test func memoryThatIsUsedUpIsContained() async {
    await #expect(processExitsWith: .exitCode(0)) {
      try Crash.contained(status: 0)
      try OwnLimits(memoryBytes: 512 << 20, cpuSeconds: 60).begin()
      var all: [[UInt8]] = []
      for _ in 0..<64 { all.append([UInt8](repeating: 1, count: 16 << 20)) }
      exit(all.count == 64 ? 99 : 98)
    }
  }

  @Test func cpuTimeThatIsUsedUpIsContained() async {
    await #expect(processExitsWith: .exitCode(0)) {
      try Crash.contained(status: 0)
      try OwnLimits(memoryBytes: .max, cpuSeconds: 1).begin()
      var turns: UInt64 = 0
      while true { turns &+= 1 }
    }
  }

  @Test func aBlockedSignalIsContained() async {
    await #expect(processExitsWith: .exitCode(0)) {
      var all = sigset_t()
      sigfillset(&all)
      sigprocmask(SIG_SETMASK, &all, nil)
      try Crash.contained(status: 0)
      Crash.overflow(Int.max)
      exit(99)
    }
  }

  @Test func aPipeWithoutAReaderEndsNothing() async {
    await #expect(processExitsWith: .exitCode(7)) {
      try Crash.contained(status: 0)
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      close(ends[0])
      exit(write(ends[1], "x", 1) < 0 && errno == EPIPE ? 7 : 99)
    }
  }

  @Test func aCopyOfTheProcessSaysNothing() async {
    let mark = "\(directory.place)/crashed"
    await #expect(processExitsWith: .exitCode(1)) { [mark = mark as String] in
      try Crash.contained(status: 1, mark: mark)
      let status = Crash.statusOfCopy { raise(SIGSEGV) }
      exit(status == 1 && access(mark, F_OK) != 0 ? 1 : 99)
    }
  }

  @Test func theJournalIsToldWithTheDigestOfTheInput() async throws {
    let receiver = try Receiver(at: "\(directory.place)/socket")
    let (socket, mark) = (receiver.path, "\(directory.place)/crashed")
    await #expect(processExitsWith: .exitCode(0)) {
      [socket = socket as String, mark = mark as String] in
      try Crash.contained(status: 0, journal: socket, mark: mark)
      Containment.remember(input: Array("abc".utf8))
      raise(SIGSEGV)
    }
    let fields = try receiver.fields()
    #expect(
      fields["MESSAGE"]
        == "Berth was stopped in started by SIGSEGV (memory that is not there, or the stack used up): "
        + "the VM runs on; its input: 3 bytes, SHA-256 "
        + "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(fields["PRIORITY"] == "3")
    #expect(fields["SYSLOG_IDENTIFIER"] == "berth")
    #expect(fields["MESSAGE_ID"] == Containment.messageID)
    #expect(fields["BERTH_DOMAIN"] == "web\nPRIORITY=0")
    #expect(fields["BERTH_PHASE"] == "started")
    #expect(access(mark, F_OK) == 0)
  }

  /// Of texts around the length of a block, whose digests `sha256sum` has found.
  @Test(arguments: [
    (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
    (56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
    (64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
    (1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
  ])
  func theDigestIsThatOfSha256sum(length: Int, digest: String) async throws {
    let receiver = try Receiver(at: "\(directory.place)/socket")
    let socket = receiver.path
    await #expect(processExitsWith: .exitCode(0)) { [socket = socket as String, length] in
      try Crash.contained(status: 0, journal: socket)
      Containment.remember(input: [UInt8](repeating: UInt8(ascii: "a"), count: length))
      raise(SIGTERM)
    }
    #expect(
      try receiver.fields()["MESSAGE"]?.hasSuffix("\(length) bytes, SHA-256 \(digest)") == true)
  }

  @Test func aRefusalIsSaidInOneLineWithoutTheNameOfTheVM() async {
    let result = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      try Crash.contained(status: 1)
      raise(SIGBUS)
    }
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(
      said
        == "berth: Berth was stopped in started by SIGBUS (memory that cannot be had): the VM runs on\n"
    )
  }

  @Test func aProgramHasNoneOfTheLimits() async throws {
    let program = "\(directory.place)/program"
    let text = "#!/bin/sh\n[ \"$(ulimit -S -d)$(ulimit -S -t)\" = unlimitedunlimited ]\n"
    let file = try #require(fopen(program, "w"))
    fputs(text, file)
    fclose(file)
    chmod(program, 0o755)
    await #expect(processExitsWith: .exitCode(0)) { [program = program as String] in
      try OwnLimits(memoryBytes: 256 << 20, cpuSeconds: 5).begin()
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &limit)
      var leftBehind: Int32 = 0
      let status = clinux_load_module(program, "x", Deadline.distant.nanoseconds, &leftBehind)
      exit(limit.rlim_cur == 5 ? Int32(status) : 99)
    }
  }
}

/// What a process of a test does to itself.
private enum Crash {
  static func contained(
    status: Int32, journal: String = "/nowhere", mark: String = "/nowhere/crashed"
  ) throws {
    var containment = Containment(
      domain: "web\nPRIORITY=0", phase: "started", status: status, consequence: "the VM runs on")
    containment.journal = journal
    containment.mark = mark
    try containment.begin()
  }

  @inline(never) static func overflow(_ number: Int) {
    let more = number + Int(getpid())
    exit(more > 0 ? 97 : 96)
  }

  @inline(never) static func depth(_ depth: Int) -> Int {
    depth == .max ? 0 : depth + self.depth(depth + 1) + Int(getpid())
  }

  /// How a process ends that has a copy of this one's memory and handlers.
  static func statusOfCopy(_ body: () -> Void) -> Int32 {
    typealias Fork = @convention(c) () -> pid_t
    guard let symbol = dlsym(nil, "fork") else { return -1 }
    let child = unsafeBitCast(symbol, to: Fork.self)()
    if child == 0 {
      body()
      _exit(98)
    }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    return status & 0x7f == 0 ? status >> 8 & 0xff : -1
  }
}
