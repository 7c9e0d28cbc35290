import Bytes
import Formats
import Glibc
import HostModel
import Ledger
import Port
import Recorded

/// A host on which all happens at the same time: its kernel and its files, its processes and locks,
/// systemd's units, and what everybody knows to be his.
final class World: @unchecked Sendable {
  let stage: Stage
  let files: HostFiles
  /// What of the last history's trace is kept; nil for none.
  var trace: [String]?
  var tally = Tally()
  private(set) var findings: [Finding] = []
  /// The history's own number; each actor draws from numbers of its own.
  let seed: UInt64

  /// Processes of Berth and children of theirs; the others are files of the host.
  var processes: [Int: Process] = [:]
  private var lastPID = 5000
  var ledger = Ledger()
  var locks: [String: Lock] = [:]
  var units: [String: Unit] = [:]
  var unitCount = 0
  /// Until when somebody works on a device, whose lock he has.
  var busy: [String: UInt64] = [:]
  /// Until when a device does not let go of its driver.
  var hangs: [String: UInt64] = [:]
  /// Until when systemd answers nobody.
  var muteUntil: UInt64 = 0
  /// Whether somebody could not have anybody stand by, as systemd was mute.
  var isUnguarded = false
  /// Whether Proxmox has left pages of nobody.
  var hasProxmoxLeft = false
  var guests: [Guest] = []
  /// Files that somebody else has changed: what is to stand there in the end.
  var wanted: [HostPath: String] = [:]
  /// The starts that are under way, with what others have had or been promised at most meanwhile.
  var starts: [Start] = []
  /// When strangers took pages, or reset a pool, last.
  var strangersAt: UInt64 = 0
  /// When a CPU has come or gone last.
  var pluggedAt: UInt64 = 0
  /// Until when something was out of order for which nobody can be blamed.
  var stalledUntil: UInt64 = 0
  var strangersPages = [0, 0]
  var hookCount = 0
  /// What of the history has not begun, and how many writes have not ended.
  var momentsLeft = 0
  var writesLeft = 0

  /// A start as it asks for pages.
  final class Start {
    let guest: Guest
    let player: Player
    var most: Int

    init(_ guest: Guest, _ player: Player, most: Int) {
      self.guest = guest
      self.player = player
      self.most = most
    }
  }

  struct Process {
    var name: String
    var parent: Int
    var start: UInt64
    var arguments: [String]
  }

  struct Lock {
    weak var holder: Player?
    var since: UInt64
  }

  init(_ files: HostFiles, seed: UInt64) {
    self.files = files
    self.seed = seed
    stage = Stage(seed: seed)
  }

  var kernel: RecordedKernel { files.kernel }
  var now: UInt64 { stage.now }

  func note(_ line: @autoclosure () -> String) {
    guard trace != nil else { return }
    trace?.append("\(now / 1_000_000 - 100_000) ms  \(line())")
  }

  func find(_ kind: Finding.Kind, _ sentence: String) {
    note("FOUND \(kind): \(sentence)")
    findings.append(Finding(kind: kind, sentence: sentence))
  }

  func newPID() -> Int {
    lastPID += 1
    return lastPID
  }

  /// A process that exists until `end`.
  func enter(_ name: String, parent: Int, _ arguments: [String]) -> Int {
    let pid = newPID()
    processes[pid] = Process(
      name: name, parent: parent, start: now / 10_000_000, arguments: arguments)
    return pid
  }

  func end(_ pid: Int) { processes[pid] = nil }

  /// The number of the process whose folder a path begins with.
  private func pid(in path: HostPath) -> Int? {
    guard path.begins(with: "/proc"), path.components.count >= 2 else { return nil }
    return Int(String(decoding: path.components[1], as: UTF8.self))
  }

  /// Whether a process is there that is no file of the host; nil for another path.
  func hasProcess(at path: HostPath) -> Bool? {
    guard path.components.count == 2, let pid = pid(in: path), processes[pid] != nil else {
      return nil
    }
    return true
  }

  /// The bytes of a file of a process that is no file of the host.
  func bytes(ofProcessFile path: HostPath) -> [UInt8]?? {
    guard path.components.count >= 3, let pid = pid(in: path), let process = processes[pid]
    else { return nil }
    switch path.name {
    case "stat":
      let zeros = Array(repeating: "0", count: 17).joined(separator: " ")
      let text =
        "\(pid) (\(process.name)) S \(process.parent) \(zeros) \(process.start) "
        + Array(repeating: "0", count: 30).joined(separator: " ") + "\n"
      return .some(Array(text.utf8))
    case "cmdline": return .some(process.arguments.flatMap { Array($0.utf8) + [0] })
    case "cgroup": return .some(Array("0::/system.slice/libvirtd.service\n".utf8))
    default: return .some(nil)
    }
  }
}

/// What is wrong, and of which kind.
struct Finding: Hashable {
  enum Kind: String, CaseIterable {
    /// (a)
    case residue
    case unit
    /// (b)
    case takenApart = "taken apart"
    case starved
    /// (c)
    case refusal = "false refusal"
    /// (d)
    case late
    case waits
    /// (e)
    case order
    /// (f)
    case mayNotRefuse = "may not refuse"
    /// (g)
    case overwritten
    case text
  }

  var kind: Kind
  var sentence: String
}

/// How often what was tried was met.
struct Tally {
  var histories = 0
  var phases = 0
  var calls = 0
  var crashes = 0
  var refusals = 0
  var hangs = 0
  var lateEnds = 0
  var mutes = 0
  var hotplugs = 0
  var switches = 0
  var waits = 0
  var reconciles = 0
  var strangers = 0
  var excused = 0
  var findings: [Finding.Kind: Int] = [:]

  static func += (sum: inout Tally, other: Tally) {
    sum.histories += other.histories
    sum.phases += other.phases
    sum.calls += other.calls
    sum.crashes += other.crashes
    sum.refusals += other.refusals
    sum.hangs += other.hangs
    sum.lateEnds += other.lateEnds
    sum.mutes += other.mutes
    sum.hotplugs += other.hotplugs
    sum.switches += other.switches
    sum.waits += other.waits
    sum.reconciles += other.reconciles
    sum.strangers += other.strangers
    sum.excused += other.excused
    sum.findings.merge(other.findings, uniquingKeysWith: +)
  }
}

extension Tally: CustomStringConvertible {
  var description: String {
    let found = Finding.Kind.allCases.compactMap { kind in
      findings[kind].map { "\($0) \(kind.rawValue)" }
    }
    return
      "\(histories) mean histories: \(phases) phases, \(reconciles) reconciles, \(calls) calls,"
      + " \(switches) switches, \(crashes) crashes, \(refusals) refusals (\(excused) for a lack),"
      + " \(hangs) hangs, \(lateEnds) late ends, \(mutes) mute, \(waits) waits for locks,"
      + " \(hotplugs) hotplugs, \(strangers) foreign changes; "
      + (found.isEmpty ? "0 findings" : found.joined(separator: ", "))
  }
}
