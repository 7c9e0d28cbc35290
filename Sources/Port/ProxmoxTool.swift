package import HostModel

/// What changes the configurations of Proxmox VE.
///
/// They are Proxmox's own to write: its locks for them are none that a write to `/etc/pve` takes.
package protocol ProxmoxTool {
  /// Sets the line `hookscript` of a VM's configuration, or takes it out for nil.
  ///
  /// It counts from the next start on, also for a VM that runs (`$fast_plug_option` in src/PVE/QemuServer.pm).
  ///
  /// - Throws: `ETIMEDOUT` at the deadline, when it may have been written; what Proxmox says where it refuses.
  func setHookscript(
    _ volume: String?, of vmid: String, until deadline: Deadline
  ) throws(HostError)
}
