internal import Formats
package import HostModel
internal import Port

/// Asks by the socket that Proxmox gives each of its QEMUs.
///
/// libvirt's is held by libvirt alone, and names its threads so that `/proc` tells.
package struct QMPMonitor: QEMUMonitor {
  package init() {}

  package func roles(
    of domain: Domain, until deadline: Deadline
  ) throws(HostError) -> [Int: ThreadRole] {
    guard let socket = QMPSocket(of: domain) else { return [:] }
    return try socket.threads(until: deadline).roles(in: domain)
  }

  package func hasBegun(
    _ domain: Domain, until deadline: Deadline
  ) throws(HostError) -> Bool {
    guard let socket = QMPSocket(of: domain) else { return true }
    // What a QEMU that was started with -S is until somebody says “cont” (qapi/run-state.json of QEMU).
    return try socket.runState(until: deadline) != "prelaunch"
  }
}
