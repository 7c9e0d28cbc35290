internal import Bytes
package import HostModel

/// Who has put a value into a setting.
package enum Author: Hashable, Sendable {
  /// Berth, or whoever was there before: what is wanted, what Berth wrote, the original.
  case berth
  /// The kernel by itself, so that the value is repaired.
  case kernel
  /// Somebody else, so that the value is left alone.
  case somebody
}

/// A value as it counts, which is not always what shows.
struct Reading {
  var value: Value?
  /// Whether the kernel has put it there, as the host tells.
  var isKernelChange = false
}

extension Entry {
  /// Who has put a value there.
  ///
  /// - Throws: Where what the kernel makes of the setting cannot be found out.
  package func author(of value: Value, on host: any SettingReader) throws -> Author {
    let reading = try reading(value, on: host)
    guard let standing = reading.value else { return .berth }
    switch try decision(reading: standing, isKernelChange: reading.isKernelChange) {
    case .foreign: return .somebody
    case .write(let wanted):
      let isKernels = reading.isKernelChange || isKernelChange(standing, of: wanted)
      return isKernels && value != written && value != original ? .kernel : .berth
    case .gone, .settled, .awaited: return .berth
    }
  }

  /// What somebody has given a setting, where what shows of it is something else, and whether it was
  /// the kernel.
  ///
  /// Of a task, what a partition leaves of its CPUs for the time being counts as all of them; of an
  /// interrupt that has been made anew since, with what all get that are, its original does.
  func reading(_ value: Value?, on host: any SettingReader) throws -> Reading {
    guard let value else { return Reading() }
    let wanted = try resolved()
    if value == wanted { return Reading(value: value) }
    switch setting.kernelChanges {
    case .none, .original, .invalidation, .any: return Reading(value: value)
    case .initial:
      if try host.initialValue(of: setting) == value { return Reading(value: original) }
      return Reading(value: value, isKernelChange: try isBrokenMask(value, on: host))
    case .brokenMask:
      return Reading(value: value, isKernelChange: try isBrokenMask(value, on: host))
    case .moreCPUs:
      if let confinement = try host.confinement(of: setting) {
        // What was written last comes first: with a CPU offline both may show alike, and once that is
        // back only the one that was set is there.
        let known = [written, wanted, original].compactMap { $0 }
        if let given = known.first(where: { $0.shows(as: value, within: confinement) }) {
          return Reading(value: given)
        }
      }
      if value == written || value == original { return Reading(value: value) }
      let online = try host.onlineCPUs()
      let isLost = [wanted, written].contains { $0?.isLost(in: value, online) ?? false }
      return Reading(value: value, isKernelChange: isLost)
    }
  }

  /// Whether the kernel itself can have put a value there, as far as that follows from the entry.
  func isKernelChange(_ value: Value, of wanted: Value) -> Bool {
    switch setting.kernelChanges {
    case .any: return true
    case .invalidation:
      guard case .text(let found) = value else { return false }
      return [wanted, written].contains { own in
        if case .text(let word)? = own { found.begins(with: "\(word) invalid") } else { false }
      }
    case .none, .original, .brokenMask, .initial, .moreCPUs: return false
    }
  }

  /// Whether an interrupt's mask reads as the kernel leaves it when its last CPU has gone offline.
  ///
  /// That is all CPUs that were online at that moment: all but those of the mask, or, where the host
  /// fell asleep, all that go after them, with the first one, which never goes. They go in descending
  /// order since Linux 6.11, in ascending order before (kernel/cpu.c, `freeze_secondary_cpus()`). Where
  /// others were offline as well that are back since, and of the first CPU alone, it is not told from
  /// somebody's choice.
  private func isBrokenMask(_ value: Value, on host: any SettingReader) throws -> Bool {
    guard case .cpus(let found) = value, case .cpus(let mask) = written ?? original,
      let least = mask.first, let greatest = mask.max(), found.isDisjoint(with: mask)
    else { return false }
    let online = try host.onlineCPUs()
    guard let first = online.first, found.contains(first) else { return false }
    if online.subtracting(mask).isSubset(of: found) { return true }
    let below = CPUList(online.filter { $0 < least })
    let above = CPUList(online.filter { $0 == first || $0 > greatest })
    return try found.count > 1 && (found == below || found == above) && host.hasSlept()
  }
}

extension Value {
  /// Whether a list of CPUs shows as another one where no others show than some.
  func shows(as value: Value, within cpus: CPUList) -> Bool {
    guard case .cpus(let given) = self, case .cpus(let found) = value else { return false }
    return given.intersection(cpus) == found
  }

  /// Whether a thread that was given these CPUs can have got others only because some of its own are offline, or
  /// were: fewer of those that are online are somebody's decision.
  fileprivate func isLost(in value: Value, _ online: CPUList) -> Bool {
    guard case .cpus(let given) = self, case .cpus(let found) = value else { return false }
    return given.intersection(online).isSubset(of: found)
  }
}
