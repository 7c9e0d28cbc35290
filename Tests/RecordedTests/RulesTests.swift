import Bytes
import Formats
import HostModel
import Port
import Support
import Testing

@testable import Recorded

/// The recorded kernel answers what real ones answered in the lab (Tests/Lab/scenarios/rules.sh).
struct RulesTests {
  private static let folder = Workstation.file("../Lab/scenarios/rules")

  /// The kernels whose answers are on record.
  static let kernels = ["6.1", "6.12", "7.2", "7.3"]

  /// What the recorded kernel does otherwise, by the kernels that it is otherwise than.
  ///
  /// - A thread of the kernel that sleeps keeps the mask that it cannot run on; the recorded one has woken
  ///   (kernel/sched/core.c, `select_fallback_rq()`).
  /// - The CPUs of a partition that a sibling's list has ended are lost to everybody until the next boot,
  ///   and no partition can have them, up to Linux 6.19; on the recorded one they are free.
  /// - Before 6.8 no kernel tells what is isolated; the recorded one does.
  static let exceptions = [
    "a thread of the kernel whose only CPU goes": kernels,
    "what is isolated is told at the root": ["6.1"],
    "a group that comes to a partition's CPUs": ["6.12"],
    "a partition that gets more CPUs, and then none": ["6.12"],
    "the group above takes its exclusive CPUs back": ["6.12"],
  ]

  @Test(arguments: kernels)
  func answersAsTheRealKernelDoes(release: String) throws {
    let real = try Rule.all(in: FileText.read("\(Self.folder)/answers-\(release)"))
    let rules = try Rule.all(in: FileText.read("\(Self.folder)/rules"))
    #expect(real.map(\.name) == rules.map(\.name))
    // As on the real one, what a rule leaves behind is there for the next.
    let host = try RuleHost(release)
    for (rule, known) in zip(rules, real) {
      let answers = try host.answers(to: rule)
      let isException = Self.exceptions[rule.name]?.contains(release) ?? false
      #expect(
        (answers == known.lines) != isException, "\(rule.name): \(answers) for \(known.lines)")
    }
  }
}

/// Some writes and readings, or the answers to them.
private struct Rule {
  var name: String
  var lines: [String]

  /// The rules of a list, in which their names follow the word `rule`, or of answers, in which they
  /// stand alone.
  static func all(in text: String) throws -> [Rule] {
    var rules: [Rule] = []
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.drop { $0 == " " }
      if words.hasPrefix("rule ") {
        rules.append(Rule(name: String(words.dropFirst(5)), lines: []))
      } else if words == line, !isStep(words) {
        rules.append(Rule(name: String(words), lines: []))
      } else {
        try #require(!rules.isEmpty)
        rules[rules.count - 1].lines.append(String(words))
      }
    }
    return rules
  }

  private static func isStep(_ line: Substring) -> Bool {
    ["put ", "get ", "fewer ", "task ", "pin ", "pins ", "online "].contains(where: line.hasPrefix)
  }
}

/// A recorded host on which a rule is played.
private final class RuleHost {
  private let host: TemporaryDirectory
  private let kernel: RecordedKernel
  private let groups: RecordedHost
  /// What a rule has brought along.
  private var leftovers: [RecordedHost] = []

  init(_ release: String) throws {
    host = TemporaryDirectory()
    try RecordedHost(at: Workstation.file("../Lab/scenarios/rules/host")).unpack(into: host.path)
    try RecordedHost(parsing: "proc/sys/kernel/osrelease\t\(release).0\n", from: "rules")
      .unpack(into: host.path)
    kernel = RecordedKernel(root: host.path)
    groups = try RecordedHost(at: Workstation.file("../Lab/scenarios/rules/groups"))
  }

  func answers(to rule: Rule) throws -> [String] {
    try groups.unpack(into: host.path)
    defer { leftovers = [] }
    let answers = try rule.lines.compactMap { line in
      let words = line.split(separator: " ").map(String.init)
      return try answer(to: words).map { "\(line): \($0)" }
    }
    for cpu in 1...7 { _ = try online("\(cpu)", "1") }
    for overlay in leftovers + [groups] {
      try RecordedHost.remove(overlay: overlay, from: host.path)
    }
    return answers
  }

  private func answer(to words: [String]) throws -> String? {
    switch words[0] {
    case "put":
      attempt {
        try kernel.write((words[2] == "-" ? "" : words[2]) + "\n", to: path(words[1]))
      }
    case "get":
      attempt {
        let text = try kernel.text(of: path(words[1])).trimmed
        return text.isEmpty ? "-" : text
      }
    case "fewer":
      try Int(kernel.text(of: path(words[1])).trimmed).map {
        $0 > 0 && $0 < Int(words[2]) ?? 0 ? "1" : "0"
      }
    case "task": try start(in: words[1])
    case "pin":
      attempt { try kernel.setAffinity(CPUList(parsing: words[2]), of: try thread(words[1])) }
    case "pins":
      try words[1] == "task" ? allowed(900) : pins(of: thread(words[1]))
    default:
      try online(words[1], words[2])
    }
  }

  private func attempt(_ work: () throws -> String) -> String {
    do { return try work() } catch { return Self.name(of: error) }
  }

  private func attempt(_ work: () throws -> Void) -> String {
    attempt {
      try work()
      return "ok"
    }
  }

  private static func name(of error: any Error) -> String {
    let names: [Int32: String] = [
      1: "EPERM", 2: "ENOENT", 5: "EIO", 16: "EBUSY", 22: "EINVAL", 28: "ENOSPC", 34: "ERANGE",
    ]
    return (error as? HostError).flatMap { names[$0.errno] } ?? "\(error)"
  }

  private func path(_ name: String) -> HostPath {
    HostPath(foreign: name.hasPrefix("/") ? name : "/sys/fs/cgroup/\(name)")
  }

  private func thread(_ name: String) throws -> Int {
    try #require(["task": 900, "kthreadd": 2, "kswapd1": 104][name])
  }

  private func pins(of thread: Int) throws -> String {
    let status = try kernel.text(of: "/proc/\(thread)/task/\(thread)/status")
    let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
    let list = line?.split(separator: "\t").last ?? ""
    return "\(try allowed(thread)), status \(list)"
  }

  private func allowed(_ thread: Int) throws -> String {
    let cpus = try kernel.affinity(of: thread)
    return cpus.isEmpty ? "-" : "\(cpus)"
  }

  private func online(_ cpu: String, _ state: String) throws -> String? {
    try kernel.write(state, to: "/sys/devices/system/cpu/cpu\(below: cpu)/online")
    return nil
  }

  /// A task that may run anywhere.
  private func start(in group: String) throws -> String? {
    let stat = "900 (sleep) S 1" + String(repeating: " 0", count: 48)
    let status = "Name:\\tsleep\n\tCpus_allowed:\\tff\n\tCpus_allowed_list:\\t0-7"
    var lines = ["proc/900/task/900/cgroup\t0::/\(group)"]
    for folder in ["proc/900", "proc/900/task/900"] {
      lines += ["\(folder)/stat\t\(stat)", "\(folder)/status\t\(status)"]
    }
    let task = try RecordedHost(parsing: lines.joined(separator: "\n") + "\n", from: "rules")
    try task.unpack(into: host.path)
    for group in ["rules", group] {
      let events = "sys/fs/cgroup/\(group)/cgroup.events\tpopulated 1\n"
      try RecordedHost(parsing: events, from: "rules").unpack(into: host.path)
    }
    leftovers.append(task)
    return nil
  }
}
