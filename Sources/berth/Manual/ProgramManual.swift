internal import ArgumentParser

/// berth(8): every command, and what the program reads, writes and answers.
struct ProgramManual {
  let tool: ToolDescription

  /// Of the manual; the day on which what it says was last so much as touched.
  static let date = "2026-11-27"

  var page: String {
    let root = tool.command
    var roff = Roff(
      title: "BERTH", section: 8, date: Self.date,
      source: "berth \(Berth.configuration.version)")
    roff.section("NAME")
    roff.paragraph("berth - makes a host ready for its virtual machines, and gives all of it back")
    roff.section("SYNOPSIS")
    roff.synopsis(
      commands.map { path, command in
        ([path] + command.ownArguments.map(\.synopsis)).joined(separator: " ")
      })
    roff.section("DESCRIPTION")
    for paragraph in Self.description { roff.paragraph(paragraph) }
    roff.section("COMMANDS")
    for (path, command) in commands { append(command, path, to: &roff) }
    roff.section("OPTIONS OF EVERY COMMAND")
    roff.item("-h, --help", "Shows what the command is for, its arguments and examples.")
    roff.item("--version", "Shows the version; of berth without a command.")
    appendTables(to: &roff)
    roff.section("EXAMPLES")
    roff.verbatim(root.examples)
    roff.section("SEE ALSO")
    roff.paragraph(
      "berth.toml(5), virsh(1), qm(1), journalctl(1), systemd.resource-control(5), cpuset(7)")
    return roff.text
  }

  /// The commands that do something, with all their words.
  private var commands: [(path: String, command: ToolDescription.Command)] {
    func leaves(
      of command: ToolDescription.Command, _ path: String
    ) -> [(String, ToolDescription.Command)] {
      let inner = command.shownSubcommands
      if inner.isEmpty { return [(path, command)] }
      return inner.flatMap { leaves(of: $0, "\(path) \($0.commandName)") }
    }
    return leaves(of: tool.command, tool.command.commandName)
  }

  private func append(
    _ command: ToolDescription.Command, _ path: String, to roff: inout Roff
  ) {
    roff.subsection(path)
    if let abstract = command.abstract { roff.paragraph(abstract) }
    for paragraph in command.prose { roff.paragraph(paragraph) }
    for argument in command.ownArguments {
      let standard = argument.defaultValue.map { " (default: \($0))" } ?? ""
      roff.item(argument.spelling, (argument.abstract ?? "") + standard)
    }
    if !command.examples.isEmpty { roff.verbatim(command.examples) }
  }

  private func appendTables(to roff: inout Roff) {
    let tables = [
      ("EXIT STATUS", Self.statuses), ("FILES", Self.files), ("ENVIRONMENT", Self.environment),
    ]
    for (name, rows) in tables {
      roff.section(name)
      for (term, words) in rows { roff.item(term, words) }
    }
  }
}

extension ProgramManual {
  private static let description = [
    "libvirt and Proxmox VE run berth as their hook. Before a virtual machine starts, it gets what "
      + "its configuration wants of the host: huge pages on the right nodes, devices bound to "
      + "vfio-pci, CPUs to itself. When it has stopped, all of that is given back.",
    "What a machine gets is what its own configuration asks for; what that cannot say stands in "
      + "berth.toml(5). The commands are for the administrator: to see what is held, to know before "
      + "what a start would do, and to put things right by hand.",
  ]

  private static let statuses =
    ExitStatus.all.map { ("berth \($0.command)", $0.sentence) } + ExitStatus.general

  private static let files = [
    ("/etc/berth/berth.toml", "The policy; see berth.toml(5). None is needed."),
    (
      "/etc/berth/berth.toml.d/*.toml",
      "Drop-ins, read after it in the order of their names; also in /run/berth and /usr/lib/berth."
    ),
    ("/run/berth/ledger", "What is held, by whom, and what was there before."),
    (
      "/etc/libvirt/hooks/qemu, /etc/libvirt/hooks/qemu.d/berth",
      "Where libvirt finds its hook: a link to berth."
    ),
    ("/var/lib/vz/snippets/berth", "The hookscript of Proxmox VE."),
    (
      "/usr/lib/systemd/system/berth-reconcile.service",
      "Runs berth reconcile when the host wakes up, and when a CPU has come back online."
    ),
    (
      "/usr/lib/systemd/system/berth-live.path",
      "Has it run as well when something has changed about a VM that runs, or a VM or a container has come "
        + "or gone."
    ),
    (
      "/etc/libvirt/qemu, /run/libvirt/qemu, /etc/pve/qemu-server",
      "Where a named VM is looked up."
    ),
  ]

  private static let environment = [
    ("NO_COLOR", "If it is set to anything, nothing is coloured, as where TERM is dumb."),
    (
      "PVE_MIGRATED_FROM",
      "Set by Proxmox VE for a hookscript: the node that a migrating machine comes from."
    ),
  ]
}
