/// CPUs whose frequency changes together: a policy of cpufreq.
package struct FrequencyFacts: Hashable, Sendable {
  /// The name below `/sys/devices/system/cpu/cpufreq`: `policy4`.
  package var name: String
  /// The CPUs of the policy that are online (`affected_cpus`).
  package var cpus: CPUList
  package var governor: String
  /// The governors that the driver offers; empty where it does not tell.
  package var governors: [String] = []
  /// nil where there is none, or where the firmware's value has no name and cannot be read.
  package var energyPreference: String?
  /// The preferences that the driver offers; empty where it knows of none.
  package var energyPreferences: [String] = []
  /// The highest frequency that is allowed now, in kHz (`scaling_max_freq`).
  package var maximum: Int?
  /// The frequencies that the driver knows, in kHz, ascending; empty where it takes any
  /// (`scaling_available_frequencies`).
  package var table: [Int] = []

  package init(name: String, cpus: CPUList, governor: String) {
    self.name = name
    self.cpus = cpus
    self.governor = governor
  }
}

/// The host's switch for frequencies above the base frequency.
package struct BoostFacts: Hashable, Sendable {
  package var path: String
  /// Whether the switch says `1` for off, as intel_pstate's `no_turbo` does.
  package var isInverted: Bool
  /// What the switch says now.
  package var text: String?
  /// The policies of cpufreq that somebody keeps below their greatest frequency.
  package var limitedPolicies: [String]
  /// The policies of cpufreq that have it otherwise than the host (`policyN/boost`).
  package var deviatingPolicies: [String] = []

  package init(path: String, isInverted: Bool, limitedPolicies: [String]) {
    self.path = path
    self.isInverted = isInverted
    self.limitedPolicies = limitedPolicies
  }
}
