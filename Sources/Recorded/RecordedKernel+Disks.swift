package import HostModel
package import Port

extension RecordedKernel {
  /// What the kernel of the captured host answered, where `recorded/limits` has it.
  package func isTaken(
    _ disk: BlockDevice, until deadline: Deadline
  ) throws(HostError) -> Bool? {
    try leaveWhereHeld(disk.file, until: deadline)
    return try RecordedLimits(of: tree).value("taken", of: disk.file).map { $0 == "yes" }
  }
}
