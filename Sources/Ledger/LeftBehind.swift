internal import HostModel

// A write or a read that the kernel does not come back from is left behind in a process of its own.
// It may hold, or wait for, a lock of the device's: whoever looks at the device then waits, too. So
// the setting, and all others of the same function, are left alone until that process is gone; what
// it did by then is seen by reading, and counts as Berth's.

extension Ledger {
  /// Why a setting is to be left alone; nil where nothing is in its way.
  ///
  /// Notes where the process that was in the way has ended.
  mutating func blockade(of setting: Setting, on host: any SettingHost) -> String? {
    let function = setting.configuredFunction
    for index in entries.indices where entries[index].isUnfinished {
      guard let process = entries[index].leftBehind else { continue }
      let other = entries[index].setting
      guard other == setting || function != nil && other.configuredFunction == function else {
        continue
      }
      if host.isAlive(process) {
        return "\(setting) is left alone: process \(process.pid) waits in the kernel for \(other)"
      }
      entries[index].leftBehind = nil
    }
    return nil
  }
}

extension SettingHost {
  /// The process that an error left behind; nil where there is none, or it has ended since.
  func processLeftBehind(by error: HostError) -> ProcessIdentity? {
    guard let pid = error.leftBehind else { return nil }
    do throws(HostError) {
      return try process(numbered: pid)
    } catch {
      // It is there, and nobody knows since when: its number has to do.
      return ProcessIdentity(pid: pid, startTime: 0)
    }
  }
}
