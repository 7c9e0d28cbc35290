/// Settings of which a VM has many for one purpose, so that tables count them in one line.
package enum SettingFamily: String, Hashable, Sendable, Encodable {
  /// Cpusets of cgroups and units.
  case isolation
  /// The CPUs that interrupts go to.
  case interrupts
  /// The CPUs and the priority of threads.
  case threads
  /// How deep CPUs may sleep.
  case idleStates = "idle-states"
  /// How fast CPUs run.
  case frequency

  /// The family as a row's title.
  package var title: String {
    switch self {
    case .isolation: "CPU isolation"
    case .interrupts: "interrupts"
    case .threads: "threads"
    case .idleStates: "CPU idle states"
    case .frequency: "CPU frequency"
    }
  }

  /// What its settings are changed for.
  package var purpose: String {
    switch self {
    case .isolation: "reserves the vCPUs' CPUs"
    case .interrupts: "keeps interrupts off the vCPUs' CPUs"
    case .threads: "puts each thread where it is to run"
    case .idleStates: "lets the vCPUs' CPUs wake quickly"
    case .frequency: "keeps the vCPUs' CPUs fast"
    }
  }
}
