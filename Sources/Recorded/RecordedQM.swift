internal import Bytes
internal import Formats
internal import Glibc
package import HostModel
internal import Port

/// The qm(1) of a recorded host: it changes the configuration in the folder, and refuses as Proxmox does.
package struct RecordedQM: ProxmoxTool {
  private let tree: RecordedTree

  package init(of kernel: RecordedKernel) { tree = kernel.tree }

  package func setHookscript(
    _ volume: String?, of vmid: String, until deadline: Deadline
  ) throws(HostError) {
    let file = "\(vmid).conf"
    let path: HostPath = "/etc/pve/qemu-server/\(file)"
    guard tree.exists(path) else {
      throw refusal(vmid, "Configuration file 'nodes/…/qemu-server/\(file)' does not exist")
    }
    if let volume { try check(volume, for: vmid) }
    let text = try tree.text(of: path)
    for line in text.fields(at: "\n", keepingEmpty: true) {
      if line.begins(with: "[") { break }
      // `check_lock()` in src/PVE/AbstractConfig.pm of pve-guest-common.
      if let lock = line.rest(after: "lock:") {
        throw refusal(vmid, "VM is locked (\(lock.trimmed))")
      }
    }
    try tree.replace(HookscriptLine.text(text, with: volume), at: path)
  }

  /// `check_hookscript()` in src/PVE/GuestHelpers.pm of pve-guest-common.
  private func check(_ volume: String, for vmid: String) throws(HostError) {
    guard let name = volume.rest(after: "local:snippets/") else {
      throw refusal(vmid, "'\(volume)' is not in the snippets directory")
    }
    let path: HostPath = "/var/lib/vz/snippets/\(name)"
    if !tree.exists(path) { throw refusal(vmid, "script '\(volume)' does not exist") }
    if !tree.isExecutable(path) { throw refusal(vmid, "script '\(volume)' is not executable") }
  }

  private func refusal(_ vmid: String, _ words: String) -> HostError {
    HostError(.call, "qm set \(vmid)", diagnosis: words)
  }
}
