internal import ArgumentParser
internal import Glibc
internal import HostModel
internal import Ledger
internal import Lifecycle

extension Host {
  /// By what a VM runs that an administrator names: one of Proxmox's goes by its number alone.
  func runningNames(of name: String) throws -> [String] {
    try [name] + [DomainConfiguration.find(name, on: self)?.vmid].compactMap(\.self)
  }

  /// - Throws: `Complaint` where the caller may not change the host.
  func checkMayChange() throws {
    if root.isEmpty, geteuid() != 0 {
      throw Complaint("only root can change this host; a recorded one is named with --root")
    }
  }

  /// Runs something for the administrator and prints what it did.
  ///
  /// - Throws: `ExitCode` 1 where a domain was refused or something could not be done.
  func report(
    _ phase: String, _ domain: Domain?, _ options: HostOptions, warnings: [String] = [],
    _ body: (Lifecycle) throws -> Outcome
  ) throws {
    try checkMayChange()
    let (report, _) = run(phase, domain, warnings: warnings, body)
    try options.print(report, lines: report.lines)
    guard report.refusals.isEmpty, report.failures.isEmpty else { throw ExitCode(1) }
  }
}
