/// What the engine has to heed about a setting: nothing, unless its kind says so.
package struct SettingTraits: Hashable, Sendable {
  /// Whether a write may take seconds or never come back, so that it is made outside the ledger's
  /// lock.
  package var isSlow = false
  /// Whether it has no values but two, so that whoever takes back what Berth did leaves the original
  /// there.
  ///
  /// That is his decision then, and nothing to be repaired.
  package var isSwitch = false
  /// Whether others rightfully take from and add to the same place at any time.
  ///
  /// Of such a setting only Berth's share is kept and given back, never an old total.
  package var isShared = false
  /// Whether what stands there cannot be changed while somebody uses it: who comes first decides,
  /// others have to do with it, and it goes back with the last.
  package var isFixedWhileHeld = false
  /// Whether the place goes on telling its old value for some seconds after a new one was taken.
  package var hasStaleReads = false
  /// Whether it is the cpuset of tasks, whose CPUs the kernel changes with every change of it.
  package var movesTasks = false
}

/// The values that the kernel itself may leave in a setting, none of which is anybody's decision.
///
/// Each kind of setting names its own, with the place in the kernel: while the setting is claimed
/// they are repaired, and the original is given back from them. Anything else that Berth did not
/// write is somebody's, the original among it.
package enum KernelChanges: Hashable, Sendable {
  /// None: what Berth did not write was put there by somebody.
  case none
  /// The original, as what the setting is about may be made anew while it is claimed.
  case original
  /// More CPUs: a thread gets those of its cpuset whenever they change (kernel/cgroup/cpuset.c,
  /// `cpuset_update_tasks_cpumask()`), and shows only those of its own that the cpuset leaves it;
  /// one whose CPUs are all offline gets any others (kernel/sched/core.c, `select_fallback_rq()`).
  ///
  /// It is settled after whatever moves tasks.
  case moreCPUs
  /// All CPUs that were online when the last one of an interrupt's mask went offline
  /// (kernel/irq/cpuhotplug.c, `migrate_one_irq()`), which stay when that CPU is back; and the
  /// original, as the interrupt may be requested anew.
  case brokenMask
  /// What everything of its kind gets that is made anew, see `SettingReader.initialValue(of:)`; and
  /// what a broken mask has.
  case initial
  /// What Berth wrote, followed by `invalid` and the reason.
  case invalidation
  /// Any, with every change of another setting, after which it is settled in both directions.
  case any(after: Setting)

  /// Whether an original that stands there again is nobody's decision.
  package var mayBeOriginal: Bool {
    switch self {
    case .original, .brokenMask, .initial, .any: true
    case .none, .moreCPUs, .invalidation: false
    }
  }
}
