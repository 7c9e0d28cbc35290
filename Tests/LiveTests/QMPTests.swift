import Bytes
import CLinux
import Glibc
import HostModel
import Support
internal import SystemCalls
import Testing

@testable import Formats
@testable import Live

struct JSONReaderTests {
  @Test(
    arguments: [
      ("null", .null), (" true ", .bool(true)), ("-0", .integer(0)), ("-12", .integer(-12)),
      ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number),
      ("1.5", .number), ("2e+3", .number), ("[]", .array([])), ("{ }", .object([:])),
      ("[1,[\"a\"]]", .array([.integer(1), .array([.string("a")])])),
      ("{\"a\":{\"b\":null}}", .object(["a": .object(["b": .null])])),
      ("\"\\u00e9\\ud83d\\ude00\\n\\/é\"", .string("é😀\n/é")),
    ] as [(String, JSONValue)])
  func readsValues(text: String, value: JSONValue) throws {
    #expect(try JSONReader.value(of: Array(text.utf8)) == value)
  }

  @Test(arguments: [
    "", "nul", "truex", "01", "1.", "-", "+1", ".5", "1e", "[1,]", "[1", "[,]", "{\"a\"}",
    "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1", "{\"a\":1,\"a\":2}", "\"", "\"\\", "\"\\x\"",
    "\"\\u12\"", "\"\\ud83d\"", "\"\\ud83d\\u0041\"", "\"\\ude00\"", "\"\n\"", "1 2", "'a'", "NaN",
  ])
  func refusesWhatIsNotJSON(text: String) {
    #expect(throws: JSONError.self) { try JSONReader.value(of: Array(text.utf8)) }
  }

  @Test(arguments: ["[", "{\"a\":", "[[", "[{\"a\":"])
  func refusesDeepNesting(opening: String) {
    let text = String(repeating: opening, count: 500_000)
    #expect(throws: JSONError.self) { try JSONReader.value(of: Array(text.utf8)) }
    let fitting = String(repeating: "[", count: JSONReader.depth)
    let closing = String(repeating: "]", count: JSONReader.depth)
    #expect(throws: Never.self) { try JSONReader.value(of: Array((fitting + closing).utf8)) }
    #expect(throws: JSONError.self) {
      try JSONReader.value(of: Array(("[" + fitting + closing + "]").utf8))
    }
  }

  @Test func refusesTextThatIsNotUTF8() {
    for bytes: [UInt8] in [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0xaf]] {
      #expect(throws: JSONError.self) { try JSONReader.value(of: [0x22] + bytes + [0x22]) }
    }
  }
}

struct QMPAnswerTests {
  private func value(_ text: String) throws -> JSONValue {
    try JSONReader.value(of: Array(text.utf8))
  }

  @Test(
    arguments: [
      ("{\"QMP\":{\"version\":{},\"capabilities\":[\"oob\"]}}", .greeting),
      ("{\"event\":\"RESUME\",\"timestamp\":{\"seconds\":1}}", .event),
      ("{\"return\":{},\"id\":3}", .result(.object([:]), id: 3)),
      ("{\"return\":[]}", .result(.array([]), id: nil)),
      (
        "{\"id\":1,\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"}}", .refusal("no", id: 1)
      ),
      ("{\"error\":7}", .refusal("it gives no reason", id: nil)),
    ] as [(String, QMPMessage)])
  func tellsMessagesApart(line: String, message: QMPMessage) throws {
    #expect(try QMPMessage(Array(line.utf8)) == message)
  }

  @Test(arguments: ["{}", "[]", "7", "{\"id\":1}", "HTTP/1.1 400"])
  func refusesOtherLines(line: String) {
    #expect(throws: QMPAnswerError.self) { try QMPMessage(Array(line.utf8)) }
  }

  @Test func readsThreads() throws {
    let vcpus = try value(
      """
      [{"cpu-index":1,"thread-id":402,"qom-path":"/machine/unattached/device[1]"},
       {"thread-id":401,"props":{"core-id":0,"thread-id":0},"cpu-index":0,"target":"x86_64"}]
      """)
    #expect(try QMPThreads.vcpus(vcpus) == [0: 401, 1: 402])
    let iothreads = try value(
      "[{\"id\":\"iothread-virtioscsi0\",\"thread-id\":400,\"poll-max-ns\":32768}]")
    #expect(try QMPThreads.iothreads(iothreads) == ["iothread-virtioscsi0": 400])
    #expect(try QMPThreads.iothreads(.array([])) == [:])
  }

  @Test func givesThreadsTheirRoles() {
    var domain = Domain(hypervisor: .proxmox, name: "vm", id: "100", vcpus: 2)
    var options = ProxmoxOptions(onlineVCPUs: 2)
    options.iothreads = ["iothread-virtioscsi0", "iothread-virtioscsi1", "iothread-virtio0"]
    domain.proxmox = options
    domain.iothreadIDs = [1, 2, 3]
    let threads = QMPThreads(
      vcpus: [0: 401, 1: 402],
      iothreads: ["iothread-virtio0": 400, "iothread-virtioscsi0": 403, "mine": 404])
    #expect(
      threads.roles(in: domain)
        == [401: .vcpu(0), 402: .vcpu(1), 400: .iothread(3), 403: .iothread(1)])
  }

  @Test func hasASocketForEachMachine() {
    var domain = Domain(hypervisor: .proxmox, name: "vm", id: "100", vcpus: 1)
    #expect(QMPSocket(of: domain)?.path == "/run/qemu-server/100.qmp")
    domain.id = "../1"
    #expect(QMPSocket(of: domain) == nil)
    domain.id = nil
    #expect(QMPSocket(of: domain) == nil)
    domain = Domain(hypervisor: .libvirt, name: "vm", id: "100", vcpus: 1)
    #expect(QMPSocket(of: domain) == nil)
  }

  @Test(arguments: [
    "{}", "[7]", "[{\"cpu-index\":0}]", "[{\"thread-id\":1}]",
    "[{\"cpu-index\":-1,\"thread-id\":1}]", "[{\"cpu-index\":16384,\"thread-id\":1}]",
    "[{\"cpu-index\":0,\"thread-id\":0}]", "[{\"cpu-index\":0,\"thread-id\":-4}]",
    "[{\"cpu-index\":0,\"thread-id\":99999999999999999999}]",
    "[{\"cpu-index\":0,\"thread-id\":4194305}]", "[{\"cpu-index\":0,\"thread-id\":1.5}]",
    "[{\"cpu-index\":0,\"thread-id\":\"12\"}]", "[{\"cpu-index\":\"0\",\"thread-id\":1}]",
    "[{\"cpu-index\":0,\"thread-id\":1},{\"cpu-index\":0,\"thread-id\":2}]",
  ])
  func refusesThreadsThatCannotBe(answer: String) throws {
    let vcpus = try value(answer)
    #expect(throws: QMPAnswerError.self) { try QMPThreads.vcpus(vcpus) }
  }

  @Test(arguments: [
    "7", "[null]", "[{\"id\":\"a\"}]", "[{\"thread-id\":1}]", "[{\"id\":1,\"thread-id\":1}]",
    "[{\"id\":\"a\",\"thread-id\":0}]",
    "[{\"id\":\"a\",\"thread-id\":1},{\"id\":\"a\",\"thread-id\":1}]",
  ])
  func refusesIOThreadsThatCannotBe(answer: String) throws {
    let iothreads = try value(answer)
    #expect(throws: QMPAnswerError.self) { try QMPThreads.iothreads(iothreads) }
  }
}

/// A stand-in for QEMU plays the other side of each session.
@Suite(.serialized)
struct QMPSocketTests {
  let directory = TemporaryDirectory()

  private func threads(
    of server: QMPServer, within milliseconds: Int = 5000
  ) throws(HostError) -> QMPThreads {
    try QMPSocket(path: HostPath(foreign: server.path)).threads(
      until: Deadline.now.advanced(byMilliseconds: milliseconds))
  }

  @Test func asksForTheThreads() throws {
    let server = QMPServer(in: directory, [QMPServer.session])
    #expect(
      try threads(of: server)
        == QMPThreads(vcpus: [0: 401, 1: 402], iothreads: ["iothread-virtio0": 400]))
    #expect(
      server.finish() == [
        "{\"execute\":\"qmp_capabilities\",\"id\":1}",
        "{\"execute\":\"query-cpus-fast\",\"id\":2}",
        "{\"execute\":\"query-iothreads\",\"id\":3}", "",
      ])
  }

  @Test func skipsEventsAndEmptyLines() throws {
    let event =
      "{\"event\":\"RTC_CHANGE\",\"timestamp\":{\"seconds\":1},\"data\":{\"offset\":-1}}\r\n"
    let lines = QMPServer.session.map { event + "\r\n" + $0 + event }
    let server = QMPServer(in: directory, [lines])
    #expect(try threads(of: server).vcpus == [0: 401, 1: 402])
    _ = server.finish()
  }

  @Test func takesAnAnswerThatComesInPieces() throws {
    let server = QMPServer(in: directory, [QMPServer.session], pieces: 7)
    #expect(try threads(of: server).iothreads == ["iothread-virtio0": 400])
    _ = server.finish()
  }

  @Test func waitsUntilTheMonitorIsFree() throws {
    let server = QMPServer(in: directory, [QMPServer.session], delay: 150)
    let start = Deadline.now
    #expect(try threads(of: server).vcpus.count == 2)
    #expect(Deadline.now.nanoseconds - start.nanoseconds >= 100_000_000)
    _ = server.finish()
  }

  @Test func triesAgainWhereItIsSentAway() throws {
    let server = QMPServer(in: directory, [[], [QMPServer.greeting], QMPServer.session])
    #expect(try threads(of: server).vcpus.count == 2)
    _ = server.finish()
  }

  @Test func givesUpAtTheDeadline() throws {
    let server = QMPServer(in: directory, [])
    let start = Deadline.now
    let error = #expect(throws: HostError.self) { try threads(of: server, within: 100) }
    #expect(error?.errno == ETIMEDOUT)
    #expect(error?.operation == .connect)
    #expect(Deadline.now.nanoseconds - start.nanoseconds < 2_000_000_000)
    _ = server.finish()
  }

  @Test(arguments: ["prelaunch", "running", "paused"])
  func saysWhetherTheGuestRuns(state: String) throws {
    let server = QMPServer(
      in: directory,
      [
        [
          QMPServer.greeting, "{\"return\":{},\"id\":1}\r\n",
          "{\"return\":{\"running\":false,\"status\":\"\(state)\"},\"id\":2}\r\n",
        ]
      ])
    let socket = QMPSocket(path: HostPath(foreign: server.path))
    #expect(try socket.runState(until: Deadline.now.advanced(byMilliseconds: 5000)) == state)
    #expect(server.finish().contains { $0.contains("query-status") })
  }

  @Test func givesUpOnAQueueThatStaysFull() throws {
    let server = QMPServer(in: directory, [])
    var others: [Int32] = []
    while others.count < 100, case let number = clinux_connect(server.path), number >= 0 {
      others.append(number)
    }
    let error = #expect(throws: HostError.self) { try threads(of: server, within: 100) }
    #expect([EAGAIN, ETIMEDOUT].contains(error?.errno))
    for number in others { close(number) }
    _ = server.finish()
  }

  @Test func saysWhereThereIsNoMonitor() {
    for path in ["\(directory.path)/none", "/" + String(repeating: "x", count: 199)] {
      let error = #expect(throws: HostError.self) {
        try QMPSocket(path: HostPath(foreign: path)).threads(
          until: Deadline.now.advanced(byMilliseconds: 50))
      }
      #expect(error?.errno == (path.utf8.count == 200 ? ENAMETOOLONG : ENOENT))
    }
  }

  /// What QEMU says after its greeting, and words of the error.
  @Test(arguments: [
    ("{\"id\":1,\"error\":{\"desc\":\"no such command\"}}\r\n", "no such command"),
    ("{\"return\":{},\"id\":7}\r\n", "not asked"), ("{\"return\":\r\n", "not JSON"),
    ("\u{0}\u{1}\n", "not JSON"), ("{\"QMP\":{}}\n", "not asked"),
    (String(repeating: "[", count: 1 << 20) + "\n", "too deep"),
    (String(repeating: "x", count: 9 << 20), "more than any QEMU"),
    (String(repeating: "{\"event\":\"x\"}\r\n", count: 700_000), "more than any QEMU"),
  ])
  func refusesHostileAnswers(answer: String, words: String) throws {
    let server = QMPServer(in: directory, [[QMPServer.greeting, answer]])
    let error = #expect(throws: HostError.self) { try threads(of: server, within: 120_000) }
    #expect(error?.errno == EPROTO)
    #expect(error?.description.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
    _ = server.finish()
  }

  @Test func refusesTextThatIsNotUTF8() throws {
    let server = QMPServer(
      in: directory, [[QMPServer.greeting, "{\"return\":\"?\"}\r\n"]], bad: true)
    let error = #expect(throws: HostError.self) { try threads(of: server) }
    #expect(error?.description.contains("UTF-8") == true)
    _ = server.finish()
  }
}

/// A monitor that plays sessions one after the other: before each command it says the next text,
/// and where it has none left it closes the connection.
private final class QMPServer: @unchecked Sendable {
  static let greeting = "{\"QMP\":{\"version\":{\"qemu\":{\"major\":10}},\"capabilities\":[]}}\r\n"
  static let session = [
    greeting, "{\"return\":{},\"id\":1}\r\n",
    "{\"return\":[{\"cpu-index\":0,\"thread-id\":401},{\"cpu-index\":1,\"thread-id\":402}],"
      + "\"id\":2}\r\n",
    "{\"id\":3,\"return\":[{\"id\":\"iothread-virtio0\",\"thread-id\":400}]}\r\n",
  ]

  let path: String
  private let sessions: [[String]]
  private let pieces: Int?
  private let delay: Int
  private let bad: Bool
  private let listener: Int32
  private var thread = pthread_t()
  private var commands: [String] = []

  init(
    in directory: TemporaryDirectory, _ sessions: [[String]], pieces: Int? = nil, delay: Int = 0,
    bad: Bool = false
  ) {
    path = "\(directory.path)/qmp"
    self.sessions = sessions
    self.pieces = pieces
    self.delay = delay
    self.bad = bad
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un(path)
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = bind(listener, address, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    listen(listener, 1)
    pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<QMPServer>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
  }

  /// Waits for the end of all sessions and returns the commands of the last.
  func finish() -> [String] {
    pthread_join(thread, nil)
    close(listener)
    unlink(path)
    return commands
  }

  private func run() {
    usleep(UInt32(delay * 1000))
    for session in sessions {
      let client = accept(listener, nil, nil)
      commands = []
      for text in session {
        say(text, to: client)
        commands.append(hear(from: client))
      }
      close(client)
    }
  }

  private func say(_ text: String, to client: Int32) {
    var bytes = Array(text.utf8)[...]
    if bad { bytes = bytes.map { $0 == UInt8(ascii: "?") ? 0xff : $0 }[...] }
    while !bytes.isEmpty {
      let part = Array(bytes.prefix(pieces ?? bytes.count))
      let count = send(client, part, part.count, Int32(MSG_NOSIGNAL))
      if count <= 0 { return }
      bytes = bytes.dropFirst(count)
      if pieces != nil { usleep(500) }
    }
  }

  /// One line, without its end; empty where the client has gone.
  private func hear(from client: Int32) -> String {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while recv(client, &byte, 1, 0) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
    return String(decoding: line, as: UTF8.self)
  }
}
