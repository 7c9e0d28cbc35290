internal import HostModel

/// Whether what the kernel takes with sleep and with CPUs that go offline is put in place again.
struct RepairCheck: HostCheck {
  static let name = "repair"

  func findings(on host: ExaminedHost) -> [Finding] {
    let installation = host.installation
    let isCalled =
      installation.hooks.contains(where: \.isBerth)
      || host.domains.contains { $0.hookscript != nil }
    let tuned = host.domains.filter(\.isTuned)
    guard isCalled, !tuned.isEmpty, let missing = installation.missingRepair else { return [] }
    let names = tuned.map(\.domain.name).joined(separator: ", ")
    let consequence =
      "after the host has slept or a CPU was offline, isolation and interrupts of \(names) stay as "
      + "the kernel left them, until the next start or end of a VM; and nothing follows what is pinned or "
      + "plugged while they run"
    switch missing {
    case .file(let path):
      return [
        Finding(
          .warning, "nothing repairs what the kernel changes by itself",
          evidence: [Evidence(path, "is not there")], consequence: consequence,
          fix: "./install.sh places it")
      ]
    case .enabling(let unit):
      return [
        Finding(
          .warning, "\(unit) is not enabled",
          evidence: [Evidence("/etc/systemd/system", "no target wants it")],
          consequence: consequence, fix: "systemctl enable --now \(unit)")
      ]
    }
  }
}
