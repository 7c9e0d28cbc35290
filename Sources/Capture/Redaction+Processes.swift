internal import Bytes
internal import HostModel

/// What is left of the files of a process or thread.
extension Redaction {
  /// A `stat` (proc(5)) with the fields that are read: numbers, state, flags, start, scheduling.
  static func stat(_ text: String, name: String?) -> String? {
    guard let (number, rest) = text.cut(at: "("), let (comm, tail) = rest.cutLast(at: ")")
    else { return nil }
    let fields = tail.fields(atAnyOf: " ", "\n")
    // Of proc(5), counted from the third: parent, flags, threads, start, processor, priority, policy.
    let kept = [0, 1, 6, 17, 19, 36, 37, 38]
    let list = fields.indices.map { kept.contains($0) ? fields[$0] : "0" }
    return "\(number)(\(name ?? String(comm))) \(list.joined(separator: " "))\n"
  }

  /// A `status` with the lines that are read.
  static func status(_ text: String) -> String {
    let keys = [
      "State", "Tgid", "Pid", "PPid", "Cpus_allowed", "Cpus_allowed_list", "Mems_allowed_list",
      "HugetlbPages", "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches",
    ]
    return text.fields(at: "\n").filter { line in
      keys.contains { line.begins(with: "\($0):") }
    }.map { $0 + "\n" }.joined()
  }

  static func schedulerStatistics(_ text: String) -> String {
    text.fields(at: "\n").filter { $0.begins(with: "se.nr_migrations") }.map { $0 + "\n" }
      .joined()
  }

  /// How many pages of which size are on which node, without the files that they are of.
  static func pages(_ text: String) -> String {
    text.fields(at: "\n").compactMap { line in
      let fields = line.fields(at: " ").filter { field in
        field.begins(with: "kernelpagesize_kB=")
          || field.rest(after: "N")?.utf8.first?.isDigit == true
      }
      return fields.isEmpty ? nil : "0 " + fields.joined(separator: " ") + "\n"
    }.joined()
  }

  /// The arguments that say whose QEMU it is, how many vCPUs it has, and how much memory.
  static func arguments(_ text: String) -> String {
    let arguments = text.fields(at: "\0", keepingEmpty: true)
    var kept = arguments.prefix(1).map { program in
      program.fields(at: "/").last ?? program
    }
    for (option, value) in zip(arguments, arguments.dropFirst())
    where ["-name", "-pidfile", "-uuid", "-id", "-smp", "-m"].contains(option) {
      kept += [option, value]
    }
    return kept.map { $0 + "\0" }.joined()
  }

  /// The variables that irqbalance reads.
  static func environment(_ text: String) -> String {
    text.fields(at: "\0").filter { $0.begins(with: "IRQBALANCE_") }.map { $0 + "\0" }.joined()
  }
}
