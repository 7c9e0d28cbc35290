package import Bytes
package import HostModel
package import Port

/// A running irqbalance, which listens on a socket with its number in the name.
///
/// It takes one command on each connection and ends that (`sock_handle()` in its irqbalance.c).
package struct Balancer {
  let kernel: any KernelReader
  package let process: ProcessIdentity

  package init(kernel: any KernelReader, process: ProcessIdentity) {
    self.kernel = kernel
    self.process = process
  }

  private static let directory: HostPath = "/run/irqbalance"
  private static let prefix = "irqbalance"
  private static let suffix = ".sock"
  /// How long it may take to answer: nobody waits for one that hangs.
  private static let patience = 500
  /// Releases up to 1.9.2 cut a command off at 500 bytes.
  private static let commandLimit = 480

  package var socket: HostPath { "\(Self.directory)/\(Self.prefix)\(process.pid)\(Self.suffix)" }

  private var deadline: Deadline { kernel.now.advanced(byMilliseconds: Self.patience) }

  /// Those that run, ascending by their numbers; the socket of one that was killed stays behind.
  package static func running(on kernel: any KernelReader) throws(HostError) -> [Balancer] {
    var pids: [Int] = []
    for name in try kernel.entriesIfPresent(of: directory) {
      guard let stem = name.rest(before: suffix),
        let pid = Quantity.process.number(in: String(stem), after: prefix)
      else { continue }
      pids.append(pid)
    }
    var balancers: [Balancer] = []
    for pid in pids.sorted() {
      guard let process = try ProcessReader(kernel: kernel).identity(of: pid) else { continue }
      balancers.append(Balancer(kernel: kernel, process: process))
    }
    return balancers
  }

  package struct Setup: Equatable {
    /// The CPUs that it keeps interrupts off.
    package var bannedCPUs: CPUList
    /// The interrupts that it leaves alone.
    package var bannedInterrupts: [Int]
  }

  /// What it does now; a ban of CPUs shows with its next look at the host, every ten seconds.
  ///
  /// - Throws: `ENOENT` where this irqbalance runs no more.
  package func setup() throws(HostError) -> Setup {
    try recognize()
    let answer: String
    do throws(HostError) {
      answer = try kernel.ask("setup", at: socket, until: deadline)
    } catch  where ErrorNumber(error.errno) == .refused {
      throw HostError(.connect, socket, errno: ErrorNumber.notFound.number)
    }
    guard let setup = Setup(answer) else {
      throw HostError(
        .connect, socket, value: "setup", errno: ErrorNumber.invalid.number,
        diagnosis: "“\(answer.clipped(to: 60))” is not what irqbalance answers")
    }
    return setup
  }

  /// Whether it can be told anything; nil where nobody listens.
  func answers() throws(HostError) -> Bool? {
    do throws(HostError) {
      _ = try setup()
      return true
    } catch  where error.isAbsence {
      return nil
    } catch {
      return false
    }
  }

  /// Tells it which CPUs to keep interrupts off, or to do so of itself where that is the same.
  package func ban(_ cpus: CPUList, by kernel: any Kernel) throws(HostError) {
    let isStandard = try cpus == standard()
    if cpus.isEmpty, !isStandard {
      throw HostError(
        .write, socket, value: "settings cpus", errno: ErrorNumber.invalid.number,
        diagnosis: "it takes no empty list, and keeps off some CPUs by itself")
    }
    try tell("settings cpus \(isStandard ? "NULL" : "\(cpus)")", by: kernel)
  }

  /// Tells it all the interrupts to leave alone, in the place of those that it was told before.
  package func ban(interrupts: [Int], by kernel: any Kernel) throws(HostError) {
    // A zero ends the list anywhere but at its beginning.
    let list = interrupts.sorted().map { "\($0)" }.joined(separator: " ")
    try tell("settings ban irqs \(list.isEmpty ? "NONE" : list)", by: kernel)
  }

  private func tell(_ order: String, by kernel: any Kernel) throws(HostError) {
    try recognize()
    guard order.utf8.count <= Self.commandLimit else {
      throw HostError(
        .write, socket, value: "\(order.clipped(to: 30))…", errno: ErrorNumber.tooBig.number,
        diagnosis: "irqbalance takes no more than \(Self.commandLimit) bytes at once")
    }
    try kernel.tell(order, at: socket, until: deadline)
  }

  /// The CPUs that it keeps off when nobody has told it any: those of its environment, or else
  /// those that the kernel was booted to spare (`setup_banned_cpus()` in its cputree.c).
  ///
  /// nil where that cannot be found out; what thermal management adds is not known here either.
  private func standard() throws(HostError) -> CPUList? {
    let environment = try kernel.text(of: "/proc/\(process.pid)/environ").fields(at: "\0")
    func variable(_ name: String) -> String? {
      environment.lazy.compactMap { $0.rest(after: name + "=") }.first.map(String.init)
    }
    if let mask = variable("IRQBALANCE_BANNED_CPUS"), !mask.isEmpty {
      return try? CPUList(parsingMask: mask)
    }
    if let list = variable("IRQBALANCE_BANNED_CPULIST") { return try? CPUList(parsing: list) }
    var spared = CPUList()
    for name in ["isolated", "nohz_full"] {
      let word = try kernel.wordIfPresent(of: "/sys/devices/system/cpu/\(name)") ?? ""
      // A kernel without adaptive ticks says “(null)”.
      if let list = try? CPUList(parsing: word) { spared = spared.union(list) }
    }
    return spared
  }

  /// - Throws: `ENOENT` where the number belongs to nobody, or to a later process.
  private func recognize() throws(HostError) {
    guard try ProcessReader(kernel: kernel).identity(of: process.pid) == process else {
      throw HostError(.connect, socket, errno: ErrorNumber.notFound.number)
    }
  }
}

extension Balancer.Setup {
  /// Nil for a text that is not `SLEEP 10 IRQ 24 LOAD 0 DIFF 0 CLASS 3 BANNED 00000030`.
  init?(_ answer: String) {
    let words = answer.fields(atAnyOf: " ", "\n", "\0")
    guard words.first == "SLEEP", words.count >= 4, words[words.count - 2] == "BANNED",
      let cpus = try? CPUList(parsingMask: String(words[words.count - 1]))
    else { return nil }
    bannedCPUs = cpus
    bannedInterrupts = zip(words, words.dropFirst()).filter { $0.0 == "IRQ" }
      .compactMap { Quantity.integer.number($0.1) }
  }
}
