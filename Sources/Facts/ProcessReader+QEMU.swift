internal import Bytes
package import HostModel
internal import Port

extension ProcessReader {
  /// The QEMU of a domain, by its pid file; nil where none runs.
  ///
  /// The number in a file left behind may be another process's by now, so that the process has to
  /// say that it is the domain's.
  package func qemu(of domain: Domain) throws(HostError) -> ProcessIdentity? {
    guard let file = PIDFile(of: domain), let text = try kernel.wordIfPresent(of: file.path)
    else { return nil }
    guard let pid = Quantity.process.number(text) else {
      throw HostError(
        .read, file.path, errno: ErrorNumber.invalid.number,
        diagnosis: "“\(text.clipped(to: 20))” is not a process number")
    }
    guard let identity = try identity(of: pid),
      let arguments = try arguments(of: pid), file.names(process: arguments)
    else { return nil }
    return identity
  }

  /// A process's arguments; nil where it is gone.
  package func arguments(of pid: Int) throws(HostError) -> [String]? {
    let path: HostPath = "/proc/\(pid)/cmdline"
    let text = try kernel.ifPresent { () throws(HostError) in try kernel.text(of: path) }
    return text?.fields(at: "\0", keepingEmpty: true).map(String.init)
  }

  /// The huge pages that a process has touched, of all sizes and nodes together; nil where it is gone
  /// or the kernel does not tell (`HugetlbPages:` since 4.4; fs/proc/task_mmu.c,
  /// `hugetlb_report_usage()`).
  package func hugepageKiB(of process: ProcessIdentity) throws(HostError) -> Int? {
    let path: HostPath = "/proc/\(process.pid)/status"
    let text = try kernel.ifPresent { () throws(HostError) in try kernel.text(of: path) }
    let key = "HugetlbPages:"
    guard let line = text?.fields(at: "\n").first(where: { $0.begins(with: key) }) else {
      return nil
    }
    let words = line.fields(atAnyOf: " ", "\t")
    return words.count == 3 ? Quantity.kibibytes.number(words[1]) : nil
  }
}
