package import HostModel

/// Somebody who can ask a running QEMU what its threads do.
package protocol QEMUMonitor {
  /// What each thread does, by TID; empty for a domain whose QEMU is not to be asked.
  func roles(of domain: Domain, until deadline: Deadline) throws(HostError) -> [Int: ThreadRole]

  /// Whether the guest has run, and does not still wait for somebody to let it begin.
  func hasBegun(_ domain: Domain, until deadline: Deadline) throws(HostError) -> Bool
}
