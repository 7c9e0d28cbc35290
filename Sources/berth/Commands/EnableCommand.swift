internal import ArgumentParser
internal import Bytes
internal import Facts
internal import Formats
internal import HostModel
internal import Port

struct EnableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable",
    abstract: "Have Proxmox call Berth for a VM, by the line hookscript of its configuration.",
    discussion: """
      Shows each line and asks before “qm set” writes it; it counts from the VM's next start on. Another \
      hookscript is not replaced. Templates are left out of --all. libvirt needs no such line: its hook is \
      called for all of its VMs.

      Exit status: 0 where every VM has the line, 1 where one has another hookscript or Proxmox refuses, 2 \
      where nothing was written because of wrong input or without a yes.

      EXAMPLES
        berth enable 100 --dry-run
        berth enable 100 101
        berth enable --all --yes
      """)

  @OptionGroup var hookscript: HookscriptOptions

  func run() throws {
    let host = try hookscript.options.host
    try Self.checkSnippet(on: host)
    try hookscript.run(.enable, on: host)
  }

  /// - Throws: `Complaint` where Proxmox could not call Berth's snippet, which then would start no VM.
  private static func checkSnippet(on host: Host) throws {
    let proxmox = ProxmoxHost(kernel: host.kernel)
    guard host.kernel.exists("/etc/pve/qemu-server") else {
      throw Complaint(
        "this host is no node of Proxmox VE; libvirt's hook is called for all of its VMs")
    }
    let storage = try proxmox.localStorage()
    if storage.isDisabled {
      throw Complaint("the storage “local” is disabled: pvesm set local --disable 0")
    }
    guard storage.holdsSnippets else {
      let content = (storage.content + ["snippets"]).joined(separator: ",")
      throw Complaint(
        "the storage “local” does not hold snippets: pvesm set local --content \(content)")
    }
    let snippet = "\(storage.snippets)/berth"
    let installation = InstallationReader(kernel: host.kernel)
    if let objection = installation.objection(toRunning: snippet) {
      throw Complaint("\(snippet) \(objection); ./install.sh places it in /var/lib/vz/snippets")
    }
  }
}

struct DisableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable",
    abstract: "Have Proxmox no longer call Berth for a VM.",
    discussion: """
      Shows each line and asks before “qm set” takes it out. Another hookscript is left alone. What a VM holds \
      that runs is given back by its guard unit when it stops.

      Exit status: as for enable.

      EXAMPLES
        berth disable 100
        berth disable --all --dry-run
      """)

  @OptionGroup var hookscript: HookscriptOptions

  func run() throws { try hookscript.run(.disable, on: try hookscript.options.host) }
}
