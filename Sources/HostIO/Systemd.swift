package import HostModel

/// What Berth asks of systemd's manager, by what systemd does with it.
package protocol Systemd {
  /// `AllowedCPUs=` as systemd keeps it; empty where it is not set.
  ///
  /// - Throws: errno `ENOENT` for a unit that systemd does not know.
  func allowedCPUs(of unit: String) throws(HostError) -> CPUList

  /// Sets `AllowedCPUs=` until the next boot; an empty list takes the setting away.
  ///
  /// systemd answers before the kernel does: that the call succeeds says only that the property
  /// is stored, so the caller has to read `cpuset.cpus.effective`.
  func setAllowedCPUs(_ cpus: CPUList, of unit: String) throws(HostError)

  /// Reads unit files and drop-ins again (`systemctl daemon-reload`).
  func reload() throws(HostError)
}
