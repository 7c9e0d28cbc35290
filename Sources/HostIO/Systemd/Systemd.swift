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

  /// Whether systemd keeps a runtime drop-in for `AllowedCPUs=` of a unit, as every runtime
  /// change of the property leaves one.
  func hasRuntimeDropIn(of unit: String) throws(HostError) -> Bool

  /// Removes that drop-in; without it the next boot of the unit finds no trace of the change.
  ///
  /// systemd goes on with the value that it has read; `systemctl revert` is no way to do this, as
  /// it removes the administrator's own drop-ins, too.
  func removeRuntimeDropIn(of unit: String) throws(HostError)

  /// Reads unit files and drop-ins again (`systemctl daemon-reload`).
  func reload() throws(HostError)
}
