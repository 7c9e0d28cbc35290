package import HostModel

// A write or a read that the kernel does not come back from is left behind in a process of its own.
// It may hold, or wait for, a lock of the device's: whoever looks at the device then waits, too. So
// the setting, and all others of the same function, are left alone until that process is gone; what
// it did by then is seen by reading, and counts as Berth's.

extension Ledger {
  /// Who waits in the kernel for a setting, or for another one of its function, and for which; nil
  /// where nobody does.
  package func obstruction(
    of setting: Setting, isAlive: (ProcessIdentity) -> Bool
  ) -> (process: ProcessIdentity, setting: Setting)? {
    let function = setting.configuredFunction
    for entry in entries where entry.isUnfinished {
      guard let process = entry.leftBehind,
        entry.setting == setting || function != nil && entry.setting.configuredFunction == function
      else { continue }
      if isAlive(process) { return (process, entry.setting) }
    }
    return nil
  }

  /// Why an entry is to be left alone, which is its verdict then; nil where nothing is in its way.
  mutating func blockade(of index: Int, on host: any SettingHost) -> String? {
    let entry = entries[index]
    // Of most settings nobody is left behind, nor has any other the same function.
    guard entry.leftBehind != nil || entry.setting.configuredFunction != nil else { return nil }
    guard let (process, other) = obstruction(of: entry.setting, isAlive: host.isAlive) else {
      entries[index].leftBehind = nil
      return nil
    }
    let sentence =
      "\(entry.setting) is left alone: process \(process.pid) waits in the kernel for \(other)"
    entries[index].verdict = sentence
    return sentence
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
