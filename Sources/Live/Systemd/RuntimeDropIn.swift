internal import Bytes
import Glibc
import HostModel
internal import SystemCalls

/// The file in which systemd keeps a unit's `AllowedCPUs=` until the next boot.
///
/// systemd leaves it behind, with two empty assignments, when the property is emptied. Its name
/// depends only on the property, so that it also stands for what an administrator set by
/// `systemctl set-property --runtime`.
struct RuntimeDropIn {
  private let unit: String
  /// Beside the unit for transient units and `init.scope`; under `system.control` for the rest.
  private let folders: [HostPath]

  init(of unit: String, below runtime: HostPath) {
    self.unit = unit
    folders = ["system.control", "transient"].map { "\(runtime)/\($0)/\(unit).d" }
  }

  private static let name = "50-AllowedCPUs.conf"

  var exists: Bool {
    get throws(HostError) {
      try checkUnit()
      return folders.contains { LiveKernel().exists("\($0)/\(Self.name)") }
    }
  }

  /// Removes the file, and its folder with it if nothing else is in there.
  func remove() throws(HostError) {
    try checkUnit()
    for folder in folders {
      let path: HostPath = "\(folder)/\(Self.name)"
      do {
        try _ = CallError.check(unlink(path.cString))
      } catch {
        if error.number == ENOENT { continue }
        throw HostError(.write, path, errno: error.number, diagnosis: "it cannot be removed")
      }
      // Another property's drop-in keeps the folder, rightly.
      rmdir(folder.cString)
    }
  }

  /// Refuses what would name a file elsewhere.
  private func checkUnit() throws(HostError) {
    if unit.isEmpty || unit.begins(with: ".") || unit.utf8.contains(where: { $0 == 47 || $0 == 0 })
    {
      throw HostError(.write, unit, errno: EINVAL, diagnosis: "it is not the name of a unit")
    }
  }
}
