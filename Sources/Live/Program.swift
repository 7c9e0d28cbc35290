internal import Bytes
internal import CLinux
internal import Glibc
internal import HostModel
internal import SystemCalls

/// A program that was run to its end.
struct Program {
  /// Its exit status, or 128 and the number of the signal that ended it.
  let status: Int32
  /// The first of what it wrote to standard output and standard error.
  let output: [UInt8]

  /// More than a program says that is worth telling.
  private static let capacity = 64 << 10

  /// Runs a program by its path, without a shell, with nothing on its standard input and in a process group of its
  /// own, so that a Ctrl-C for the caller does not end what has begun.
  ///
  /// What it leaves running is not waited for.
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, after which its group is killed; the reason why it cannot be run.
  static func run(
    _ path: HostPath, _ arguments: [String], until deadline: Deadline
  ) throws(HostError) -> Program {
    do throws(CallError) {
      try CallError.check(path)
      var child = try RunningProgram(path, arguments)
      return try child.end(until: deadline, capacity: capacity)
    } catch {
      var failure = HostError(.call, path, errno: error.number)
      if error.number == ETIMEDOUT { failure.diagnosis = "it was ended at its deadline" }
      throw failure
    }
  }

  fileprivate init(status: Int32, output: [UInt8]) {
    self.status = status
    self.output = output
  }
}

/// A program from its start until its end is known.
private struct RunningProgram: ~Copyable {
  private let pid: pid_t
  /// Readable once the program has ended.
  private let end: Descriptor
  private let output: Descriptor
  private var heard: [UInt8] = []
  private var isOpen = true

  init(_ path: HostPath, _ arguments: [String]) throws(CallError) {
    var ends: [Int32] = [0, 0]
    _ = try CallError.check(pipe(&ends))
    let reading = Descriptor(opened: ends[0])
    let writing = Descriptor(opened: ends[1])
    for end in ends { _ = try CallError.check(fcntl(end, F_SETFD, FD_CLOEXEC)) }
    _ = try CallError.check(fcntl(reading.number, F_SETFL, O_NONBLOCK))
    let pid = try Self.spawn(path, arguments, writingTo: writing.number)
    let number = try CallError.check(negated: clinux_open_process(pid))
    self.init(pid: pid, end: Descriptor(opened: number), output: reading)
  }

  private init(pid: pid_t, end: consuming Descriptor, output: consuming Descriptor) {
    self.pid = pid
    self.end = end
    self.output = output
  }

  private static let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "HOME=/root"]

  private static func spawn(
    _ path: HostPath, _ arguments: [String], writingTo output: Int32
  ) throws(CallError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for number: Int32 in [1, 2] { posix_spawn_file_actions_adddup2(&actions, output, number) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    let words = ([path.description] + arguments).map { strdup($0) } + [nil]
    let variables = environment.map { strdup($0) } + [nil]
    defer { for word in words + variables { free(word) } }
    var pid: pid_t = 0
    let error = posix_spawn(&pid, path.description, &actions, &attributes, words, variables)
    guard error == 0 else { throw CallError(number: error) }
    return pid
  }

  /// Waits for the end, and takes what is said until then.
  mutating func end(until deadline: Deadline, capacity: Int) throws(CallError) -> Program {
    while try !hasEnded(until: deadline, capacity: capacity) {
      guard Deadline.now < deadline else {
        kill(-pid, SIGKILL)
        // A child that waits in the kernel outlives the signal; init buries it.
        if try hasEnded(until: .now.advanced(byMilliseconds: 1_000), capacity: capacity) {
          _ = status()
        }
        throw CallError(number: ETIMEDOUT)
      }
    }
    listen(capacity: capacity)
    return Program(status: status(), output: heard)
  }

  /// Waits for whatever comes next, and listens to it; whether the program has ended.
  private mutating func hasEnded(until deadline: Deadline, capacity: Int) throws(CallError) -> Bool
  {
    var entries = [
      pollfd(fd: end.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: isOpen ? output.number : -1, events: Int16(POLLIN), revents: 0),
    ]
    let left = Int32(clamping: deadline.milliseconds(from: .now) + 1)
    _ = try CallError.check(retrying: poll(&entries, 2, left))
    if entries[1].revents != 0 { listen(capacity: capacity) }
    return entries[0].revents != 0
  }

  /// Takes what has been said by now; beyond the capacity it goes nowhere.
  private mutating func listen(capacity: Int) {
    var part = [UInt8](repeating: 0, count: 4096)
    while isOpen {
      let count = read(output.number, &part, part.count)
      if count < 0 { return }
      if count == 0 { isOpen = false }
      heard += part.prefix(min(count, capacity - heard.count))
    }
  }

  /// How the program ended, of one that has.
  private func status() -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }
}
