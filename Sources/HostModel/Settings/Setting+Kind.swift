extension Setting {
  /// The PCI function of whose configuration the setting is a part, and with which it leaves the bus.
  package var configuredFunction: PCIAddress? { kind.configuredFunction }

  /// Whether a change of it takes away what another setting is about, so that the two do not go
  /// together.
  package func removes(_ other: Setting) -> Bool { kind.removes(other) }

  /// The setting for tables: short, and as far as it is known in a plan.
  package var title: String { kind.title }

  /// What many of these are counted as in tables; nil for one that always has a line of its own.
  package var family: SettingFamily? { kind.family }

  /// The sentence that counts all those of which somebody else has changed the value; nil where each
  /// is reported by itself.
  package var driftSummary: String? { kind.driftSummary }

  /// What the kernel has done where it has changed the setting, as a sentence without its end.
  package var kernelChangeSentence: String { kind.kernelChangeSentence }

  /// What is to be said where the setting has gone with what it is about; nil where that happens each day.
  package var goneSentence: String? { kind.goneSentence }

  /// What follows `lock.` in the name of the file that is locked while the setting changes.
  package var lockName: String { kind.lockName }
}

extension Setting: CustomStringConvertible {
  /// The setting for messages.
  package var description: String { kind.name }
}

// What `SettingTraits` says.
extension Setting {
  package var isSlow: Bool { traits.isSlow }
  package var isSwitch: Bool { traits.isSwitch }
  package var isShared: Bool { traits.isShared }
  package var isFixedWhileHeld: Bool { traits.isFixedWhileHeld }
  package var hasStaleReads: Bool { traits.hasStaleReads }
  package var movesTasks: Bool { traits.movesTasks }
}

// What `KernelChanges` says.
extension Setting {
  /// Whether the kernel changes it with what moves tasks, so that it is settled after that.
  package var followsCpuset: Bool {
    if case .moreCPUs = kernelChanges { true } else { false }
  }

  /// The setting whose every change makes the kernel change this one, too, in a way that nobody can
  /// tell from somebody's decision; nil for settings that only Berth and people change.
  package var leader: Setting? {
    if case .any(let leader) = kernelChanges { leader } else { nil }
  }
}
