package import HostModel

/// What can be learnt of units without changing any.
///
/// Every question ends at its deadline with `ETIMEDOUT`, or before it where a manager is not worth
/// waiting for any longer.
package protocol UnitReader {
  /// What systemd knows of a unit; never fails for one that does not exist.
  func state(of unit: String, until deadline: Deadline) throws(HostError) -> UnitState

  /// A unit by any of its names, with what stopping it would mean.
  func service(
    named name: String, until deadline: Deadline
  ) throws(HostError) -> ServiceFacts
}

/// What Berth asks of systemd's manager, by what systemd does with it.
package protocol Systemd: UnitReader {
  /// Starts a unit, and waits for the end of its start.
  ///
  /// - Throws: `ETIMEDOUT` when the deadline passed; systemd goes on with it then. `EIO` where the
  ///   start failed.
  func start(_ unit: String, until deadline: Deadline) throws(HostError)

  /// Stops a unit, and waits for its end in the same way.
  func stop(_ unit: String, until deadline: Deadline) throws(HostError)

  /// Asks for the end of a unit, and does not wait for it.
  ///
  /// - Throws: `ENOENT` for a unit that systemd does not know.
  func stopUnit(_ unit: String, until deadline: Deadline) throws(HostError)

  /// Makes a unit, starts it, and waits for the end of its start.
  ///
  /// - Throws: `EEXIST` if a unit of that name is there, if only on its way out; the others as
  ///   above.
  func startTransientUnit(_ unit: TransientUnit, until deadline: Deadline) throws(HostError)

  /// `AllowedCPUs=` as systemd keeps it; empty where it is not set.
  ///
  /// - Throws: errno `ENOENT` for a unit that systemd does not know.
  func allowedCPUs(of unit: String, until deadline: Deadline) throws(HostError) -> CPUList

  /// Sets `AllowedCPUs=` until the next boot; an empty list takes the setting away.
  ///
  /// systemd answers before the kernel does: that the call succeeds says only that the property
  /// is stored, so the caller has to read `cpuset.cpus.effective`.
  func setAllowedCPUs(
    _ cpus: CPUList, of unit: String, until deadline: Deadline
  ) throws(HostError)

  /// Whether systemd keeps a runtime drop-in for `AllowedCPUs=` of a unit, as every runtime
  /// change of the property leaves one.
  func hasRuntimeDropIn(of unit: String) throws(HostError) -> Bool

  /// Removes that drop-in; without it the next boot of the unit finds no trace of the change.
  ///
  /// systemd goes on with the value that it has read; `systemctl revert` is no way to do this, as
  /// it removes the administrator's own drop-ins, too.
  func removeRuntimeDropIn(of unit: String) throws(HostError)

  /// Reads unit files and drop-ins again (`systemctl daemon-reload`).
  func reload(until deadline: Deadline) throws(HostError)
}
