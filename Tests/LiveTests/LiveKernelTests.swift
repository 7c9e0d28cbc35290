import Bytes
import CLinux
import Glibc
import HostModel
import Port
import Support
import Testing

@testable import Live

/// The calls are tried on files and on the kernel of the machine that runs the tests; what needs
/// another kernel's answer is tested as a table.
struct LiveKernelTests {
  let kernel = LiveKernel()
  let directory = TemporaryDirectory()

  /// Where a program could be, and why it is not run.
  @Test(arguments: [
    ("/usr/bin/true", nil), ("/bin/true", nil), ("/usr/bin/berth-is-not-here", "is not there"),
    ("/etc/passwd", "is not a program"), ("/usr", "is not a program"), ("/a\0", "is not there"),
  ])
  func runsOnlyProgramsThatAreRootsAlone(path: String, objection: String?) {
    #expect(kernel.objection(toRunning: HostPath(foreign: path)) == objection)
  }

  @Test func aProgramThatOthersMayWriteIsNotRun() {
    let path = directory.file("program", "#!", mode: 0o777)
    #expect(
      kernel.objection(toRunning: path) == "could be changed by others than root")
  }

  /// The folder that a program lies in, whose it is, and the folder above it.
  @Test(
    .enabled(if: geteuid() == 0),
    arguments: [
      (0o755, 0, 0o755, true), (0o700, 0, 0o755, true), (0o775, 0, 0o755, false),
      (0o757, 0, 0o755, false), (0o1777, 0, 0o755, false), (0o755, 0, 0o775, false),
      (0o755, 65534, 0o755, false),
    ] as [(mode_t, uid_t, mode_t, Bool)])
  func everyFolderOfAProgramIsRootsAlone(
    mode: mode_t, owner: uid_t, above: mode_t, isRun: Bool
  ) throws {
    // Temporary folders themselves are anybody's.
    let top = "/run/berth-test-\(getpid())-\(mode)-\(owner)-\(above)"
    mkdir(top, 0o755)
    mkdir(top + "/bin", 0o755)
    let program = top + "/bin/program"
    close(open(program, O_WRONLY | O_CREAT, 0o755))
    chmod(program, 0o755)
    symlink(program, top + "/link")
    chmod(top + "/bin", mode)
    chown(top + "/bin", owner, 0)
    chmod(top, above)
    defer {
      unlink(program)
      unlink(top + "/link")
      rmdir(top + "/bin")
      rmdir(top)
    }
    for path in [program, top + "/link"] {
      let objection = kernel.objection(toRunning: HostPath(foreign: path))
      #expect((objection == nil) == isRun, "\(path): \(objection ?? "")")
      #expect(objection?.contains("which others than root can write to") ?? isRun)
    }
  }

  @Test(.enabled(if: geteuid() == 0))
  func aLinkThatOthersCanChangeIsNoWayToAProgram() {
    directory.link("link", to: "/usr/bin/true")
    chmod(directory.path, 0o777)
    defer { chmod(directory.path, 0o700) }
    #expect(kernel.objection(toRunning: "\(directory.place)/link")?.contains("lies in") == true)
  }

  @Test func readsFilesThatHaveNoSize() throws {
    #expect(try kernel.text(of: "/proc/self/stat").hasPrefix("\(getpid()) "))
    #expect(try kernel.text(of: "/proc/sys/kernel/ostype") == "Linux\n")
  }

  @Test func readsWhatIsLongerThanOneRead() throws {
    let text = String(repeating: "0123456789", count: 10_000)
    #expect(try kernel.text(of: directory.file("long", text)) == text)
  }

  @Test func readsAnEmptyFile() throws {
    #expect(try kernel.text(of: directory.file("empty")) == "")
  }

  @Test func refusesWhatIsTooLong() {
    let path = directory.file("huge", String(repeating: "x", count: 4 << 20) + "x")
    #expect(throws: HostError(.read, path, errno: EFBIG)) { try kernel.text(of: path) }
  }

  private func lines(of path: HostPath, upTo limit: Int) throws -> [String] {
    var lines: [String] = []
    try kernel.readLines(of: path, upTo: limit) { lines.append($0.text(in: 0..<$0.count)) }
    return lines
  }

  @Test(arguments: [
    "", "\n", "a", "a\n", "a\n\nb", "\na\n",
    String(repeating: "0123456789\n", count: 20_000),
    String(repeating: "x", count: 100_000) + "\n" + String(repeating: "y", count: 40_000),
  ])
  func readsLineByLine(text: String) throws {
    var wanted = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if wanted.last == "" { wanted.removeLast() }
    #expect(try lines(of: directory.file("lines", text), upTo: 1 << 20) == wanted)
  }

  @Test func refusesLinesThatAreTooManyOrTooLong() {
    let many = directory.file("many", String(repeating: "x\n", count: 1000))
    #expect(throws: HostError(.read, many, errno: EFBIG)) { try lines(of: many, upTo: 1999) }
    let long = directory.file("endless", String(repeating: "x", count: 5 << 20))
    #expect(throws: HostError(.read, long, errno: EFBIG)) { try lines(of: long, upTo: 32 << 20) }
  }

  @Test func readsBytesThatAreNoText() throws {
    let path = directory.file("bytes")
    let bytes: [UInt8] = [0x61, 0xff, 0x62]
    let file = open(path.description, O_WRONLY)
    #expect(Glibc.write(file, bytes, bytes.count) == 3)
    close(file)
    #expect(try kernel.bytes(of: path) == bytes)
    #expect(try kernel.text(of: path) == "a\u{fffd}b")
  }

  @Test func neverMakesAFile() {
    let path: HostPath = "\(directory.place)/missing"
    let error = #expect(throws: HostError.self) { try kernel.write("1", to: path) }
    #expect(error == HostError(.write, path, value: "1", errno: ENOENT))
    #expect(!kernel.exists(path))
  }

  @Test func leavesNothingOfTheOldText() throws {
    let path = directory.file("governor", "performance\n")
    try kernel.write("powersave", to: path)
    #expect(try kernel.text(of: path) == "powersave")
  }

  @Test func writesALineWhereTheTextIsEmpty() throws {
    let path = directory.file("driver_override", "vfio-pci\n")
    try kernel.write("", to: path)
    #expect(try kernel.text(of: path) == "\n")
  }

  @Test func takesNoPathForAShorterOne() {
    let path = directory.file("short", "old")
    for other in ["\0.bak", "/../short", "/."] {
      let nowhere: HostPath = "\(path)\(other)"
      #expect(nowhere.description == path.description + other)
      let refusal = HostError(.write, nowhere, value: "new", errno: EINVAL)
      #expect(throws: refusal) { try kernel.write("new", to: nowhere) }
      #expect(throws: refusal) { try kernel.write("new", to: nowhere, until: kernel.now) }
      #expect(throws: HostError(.read, nowhere, errno: EINVAL)) { try kernel.text(of: nowhere) }
      #expect(throws: HostError(.list, nowhere, errno: EINVAL)) { try kernel.entries(of: nowhere) }
      #expect(!kernel.exists(nowhere))
    }
    #expect((try? kernel.text(of: path)) == "old")
  }

  @Test func listsNamesInOrder() throws {
    for name in ["b", "a", ".hidden", "c"] { directory.file(name) }
    #expect(try kernel.entries(of: directory.place) == [".hidden", "a", "b", "c"])
    let error = #expect(throws: HostError.self) { try kernel.entries(of: "/proc/self/stat") }
    #expect(error?.errno == ENOTDIR)
  }

  @Test(arguments: ["", "-r", "../vfio", "a b", "vfio\npci", "é"])
  func takesNoModuleForAnOptionOrAPath(name: String) {
    let error = #expect(throws: HostError.self) {
      try kernel.loadModule(named: name, until: kernel.now.advanced(byMilliseconds: 5000))
    }
    #expect(error == HostError(.call, "/sbin/modprobe", value: name, errno: EINVAL))
    let other = #expect(throws: HostError.self) {
      try kernel.unloadModule(named: name, until: kernel.now.advanced(byMilliseconds: 5000))
    }
    #expect(other == HostError(.call, "delete_module", value: name, errno: EINVAL))
  }

  @Test func unloadsNoModuleThatIsNotThere() {
    let error = #expect(throws: HostError.self) {
      try kernel.unloadModule(
        named: "berth_test_missing", until: kernel.now.advanced(byMilliseconds: 20_000))
    }
    // EPERM for whoever may not unload any, ENOSYS where there are none.
    #expect(error.map { [ENOENT, EPERM, ENOSYS].contains($0.errno) } == true)
  }

  @Test func saysThatAModuleIsNotThere() {
    let error = #expect(throws: HostError.self) {
      try kernel.loadModule(
        named: "berth_test_missing", until: kernel.now.advanced(byMilliseconds: 20_000))
    }
    #expect(error?.errno == 0)
    // 127 where the machine has no modprobe.
    #expect(["1", "127"].contains(error?.diagnosis?.split(separator: " ").last))
  }

  @Test func aFileThatCanOnlyBeWrittenToExists() {
    #expect(kernel.exists(directory.file("unbind", mode: 0o200)))
    #expect(!kernel.exists("\(directory.place)/unbind\0x"))
  }

  @Test func pausesForTheWholeTime() {
    let start = kernel.now
    kernel.pause(milliseconds: 20)
    kernel.pause(milliseconds: -1)
    #expect(kernel.now >= start.advanced(byMilliseconds: 20))
  }

  @Test func saysWhereALinkLeads() throws {
    directory.link("driver", to: "../../bus/pci/drivers/igb")
    let link: HostPath = "\(directory.place)/driver"
    #expect(try kernel.destination(of: link) == "../../bus/pci/drivers/igb")
    let error = #expect(throws: HostError.self) { try kernel.destination(of: directory.place) }
    #expect(error?.errno == EINVAL)
  }

  @Test func aLinkIntoNowhereExists() {
    directory.link("dangling", to: "nowhere")
    #expect(kernel.exists("\(directory.place)/dangling"))
    #expect(!kernel.exists("\(directory.place)/other"))
  }

  @Test(
    arguments: [
      ("/proc/irq/24/smp_affinity_list", EIO, "the kernel manages this interrupt itself"),
      ("/proc/irq/24/smp_affinity", EPERM, "the kernel manages this interrupt itself"),
      ("/sys/bus/pci/drivers/igb/bind", ENODEV, "the driver does not take this device"),
      (
        "/sys/fs/cgroup/a.slice/cpuset.cpus", ENOSPC,
        "the kernel does not empty a cpuset that has tasks"
      ),
      ("/proc/sys/kernel/ostype", EPERM, nil),
    ] as [(String, Int32, String?)])
  func saysWhatARefusalMeans(path: String, number: Int32, meaning: String?) {
    #expect(WriteRefusal.diagnosis(of: number, at: HostPath(foreign: path)) == meaning)
  }
}

/// Threads are tried on threads of the tests themselves.
struct LiveKernelThreadTests {
  let kernel = LiveKernel()

  @Test func readsWhatTheKernelPrints() throws {
    let status = try kernel.text(of: "/proc/thread-self/status")
    let line = try #require(
      status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") })
    let printed = try CPUList(parsing: String(line.dropFirst("Cpus_allowed_list:".count)))
    #expect(try kernel.affinity(of: ownThread()) == printed)
  }

  @Test func movesAThread() throws {
    let thread = ownThread()
    let before = try kernel.affinity(of: thread)
    defer { try? kernel.setAffinity(before, of: thread) }
    let first = CPUList([try #require(before.first)])
    try kernel.setAffinity(first, of: thread)
    #expect(try kernel.affinity(of: thread) == first)
  }

  @Test func refusesCPUsThatAreNotThere() throws {
    let thread = ownThread()
    for cpus in [[16383], []] as [CPUList] {
      let error = #expect(throws: HostError.self) { try kernel.setAffinity(cpus, of: thread) }
      #expect(error?.errno == EINVAL)
      #expect(
        error?.diagnosis == "none of these CPUs is online and allowed by the thread's cpuset")
    }
  }

  @Test(.enabled(if: geteuid() == 0))
  func namesTheThreadsThatTheKernelBinds() throws {
    // The migration thread of a CPU is bound by the kernel and always there.
    let bound = try kernel.entries(of: "/proc").compactMap { Int($0) }.first { pid in
      (try? kernel.text(of: "/proc/\(pid)/comm")) == "migration/0\n"
    }
    guard let bound else { return }
    let error = #expect(throws: HostError.self) { try kernel.setAffinity([0], of: bound) }
    #expect(error?.diagnosis == "the kernel binds this thread itself")
  }

  @Test func aThreadThatIsGoneIsESRCH() {
    for thread in [0, -1, 1 << 40, Int(Int32.max)] {
      #expect((#expect(throws: HostError.self) { try kernel.affinity(of: thread) })?.errno == ESRCH)
      #expect(
        (#expect(throws: HostError.self) { try kernel.setAffinity([0], of: thread) })?.errno
          == ESRCH)
      #expect(
        (#expect(throws: HostError.self) { try kernel.scheduler(of: thread) })?.errno == ESRCH)
    }
  }

  @Test func changesAThreadsScheduler() throws {
    let thread = ownThread()
    let before = try kernel.scheduler(of: thread)
    defer { try? kernel.setScheduler(before, of: thread) }
    let batch = ThreadScheduler(policy: 3, priority: 0, resetsOnFork: before.resetsOnFork)
    try kernel.setScheduler(batch, of: thread)
    #expect(try kernel.scheduler(of: thread) == batch)
  }

  @Test func refusesAPriorityOutOfRange() {
    let wrong = ThreadScheduler(policy: 1, priority: 100, resetsOnFork: false)
    let error = #expect(throws: HostError.self) {
      try kernel.setScheduler(wrong, of: ownThread())
    }
    #expect(error?.errno == EINVAL)
  }

  @Test func theClockGoesOn() {
    let first = kernel.now
    #expect(first.nanoseconds > 0)
    #expect(kernel.now >= first)
  }

  /// The number of the calling thread, which must not change between two calls of one test: no
  /// test here waits for anything.
  private func ownThread() -> Int {
    let words = (try? kernel.destination(of: "/proc/thread-self"))?.split(separator: "/")
    return words?.last.flatMap { Int($0) } ?? 0
  }
}
