package import Bytes
internal import Glibc
package import HostModel

/// The irqbalance of a recorded host: the file that stands where its socket would be.
///
/// Its lines are `banned MASK`, `standard MASK` (the CPUs that it keeps off when nobody has told it
/// any), `irqs N…` and, between a command and its next look at the host, `told MASK`. It looks right
/// after the first question that follows a command. A file without lines answers nothing.
struct RecordedBalancer {
  private var banned: String
  private var standard: String
  private var interrupts: [String]
  private var told: String?

  /// - Throws: `ETIMEDOUT` for a file without lines.
  init(_ text: String, at socket: HostPath) throws(HostError) {
    func value(_ key: String) -> String? {
      text.lines.lazy.compactMap { $0.rest(after: key + " ") }.first.map(String.init)
    }
    guard let banned = value("banned") else {
      throw HostError(.connect, socket, errno: ETIMEDOUT)
    }
    self.banned = banned
    standard = value("standard") ?? "0"
    interrupts = (value("irqs") ?? "").fields(at: " ").map(String.init)
    told = value("told")
  }

  var text: String {
    var lines = ["banned \(banned)", "standard \(standard)"]
    if !interrupts.isEmpty { lines.append("irqs " + interrupts.joined(separator: " ")) }
    if let told { lines.append("told \(told)") }
    return lines.map { $0 + "\n" }.joined()
  }

  mutating func answer(to question: String) -> String {
    guard question == "setup" else { return "" }
    let list = interrupts.map { "IRQ \($0) LOAD 0 DIFF 0 CLASS 3 " }.joined()
    defer {
      banned = told ?? banned
      told = nil
    }
    return "SLEEP 10 \(list)BANNED \(banned)"
  }

  mutating func obey(_ order: String) {
    let words = order.fields(at: " ").map(String.init)
    if words.starts(with: ["settings", "cpus"]), words.count > 2 {
      told = words[2] == "NULL" ? standard : (try? CPUList(parsing: words[2]))?.mask
    } else if words.starts(with: ["settings", "ban", "irqs"]) {
      interrupts = words[3...].first == "NONE" ? [] : Array(words[3...])
    }
  }
}

extension RecordedKernel {
  package func ask(
    _ question: String, at socket: HostPath, until deadline: Deadline
  ) throws(HostError) -> String {
    var balancer = try RecordedBalancer(try tree.text(of: socket), at: socket)
    let answer = balancer.answer(to: question)
    try tree.replace(balancer.text, at: socket)
    return answer
  }

  package func tell(
    _ order: String, at socket: HostPath, until deadline: Deadline
  ) throws(HostError) {
    var balancer = try RecordedBalancer(try tree.text(of: socket), at: socket)
    balancer.obey(order)
    try tree.replace(balancer.text, at: socket)
  }
}
