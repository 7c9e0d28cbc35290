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
package enum KernelChanges: Hashable, Sendable {
  /// None: what Berth did not write was put there by somebody.
  case none
  /// More CPUs: a thread gets those of its cpuset whenever they change (kernel/cgroup/cpuset.c,
  /// `cpuset_update_tasks_cpumask()`), and shows only those of its own that the cpuset leaves it.
  ///
  /// It is settled after whatever moves tasks.
  case moreCPUs
  /// What everything of its kind gets that is made anew; see `SettingHost.initialValue(of:)`.
  case initial
  /// Any, with every change of another setting, after which it is settled in both directions.
  case any(after: Setting)
}
