/// With what each command ends, for the manual and for `docs/SCRIPTS.md`.
struct ExitStatus {
  /// The command's words.
  var command: String
  var zero: String
  /// nil for a command that never ends with 1.
  var one: String?
  /// nil for what ends no command with 2 but wrong input.
  var two: String?

  static let all = [
    ExitStatus(command: "list", zero: "the VMs are listed"),
    ExitStatus(command: "topology", zero: "the host is shown"),
    ExitStatus(
      command: "doctor", zero: "nothing is wrong; notes do not count", one: "warnings",
      two: "errors"),
    ExitStatus(
      command: "status", zero: "all settings are in place",
      one: "a setting has drifted, or a VM's goal was given up",
      two: "that cannot be told: the ledger is damaged or cannot be read"),
    ExitStatus(command: "observe", zero: "the VM was measured"),
    ExitStatus(command: "metrics", zero: "the metrics are written"),
    ExitStatus(
      command: "plan", zero: "the start would go through", one: "the start would be refused"),
    ExitStatus(
      command: "advise", zero: "there is a place for the VM", one: "there is none"),
    ExitStatus(command: "inspect", zero: "the configuration can be read"),
    ExitStatus(
      command: "config check", zero: "no errors; warnings do not count",
      two: "the policy file has errors"),
    ExitStatus(
      command: "config show", zero: "the policy is shown",
      two: "errors in the policy file concern the VM"),
    ExitStatus(command: "config explain", zero: "the keys are shown"),
    ExitStatus(
      command: "enable", zero: "each VM has Berth's line",
      one: "a VM has another hookscript, or Proxmox refuses", two: "you did not confirm"),
    ExitStatus(
      command: "disable", zero: "no VM has Berth's line", one: "Proxmox refuses",
      two: "you did not confirm"),
    ExitStatus(
      command: "reconcile", zero: "all is repaired and given back", one: "something failed"),
    ExitStatus(
      command: "release", zero: "all of it is restored", one: "something failed",
      two: "a VM runs, and you did not confirm"),
    ExitStatus(
      command: "replay", zero: "the phase is done, or shown",
      one: "the start is or would be refused, or something failed"),
    ExitStatus(command: "capture", zero: "the host is recorded"),
    ExitStatus(command: "recorded", zero: "the recorded host is changed"),
    ExitStatus(command: "version", zero: "the version is printed"),
  ]

  /// What ends every command with 2, and a hook with what.
  static let general = [
    (
      "2 of any command",
      "The input is wrong (an option, a name, a file), or what the command works on cannot be read: nothing "
        + "was done."
    ),
    (
      "of a hook",
      "0 in every phase but prepare, start and pre-start, where 1 refuses the start; what went wrong in the "
        + "others is in the journal."
    ),
  ]

  /// The statuses in one sentence.
  var sentence: String {
    (["0: \(zero)"] + [one.map { "1: \($0)" }, two.map { "2: \($0)" }].compactMap(\.self))
      .joined(separator: "; ") + "."
  }

  /// The row of the table in `docs/SCRIPTS.md`.
  var row: String { "| `\(command)` | \(zero) | \(one ?? "–") | \(two ?? "–") |" }
}
