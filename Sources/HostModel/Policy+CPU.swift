extension Policy {
  /// How the CPUs of a domain's vCPUs are run while it is in; nil leaves each as it is.
  package struct CPU: Hashable, Sendable {
    /// The lowest speed that a CPU may fall to.
    package enum MinimumFrequency: Hashable, Sendable {
      /// The highest that it may reach.
      case highest
      case kHz(Int)
    }

    /// What becomes of the start of another domain that is pinned to nothing but the domain's own CPUs.
    package enum Contest: String, Hashable, Sendable, CaseIterable {
      /// The other one does not start.
      case refuse
      /// The domain gives those CPUs back, and goes on there beside the other one.
      case yield
    }

    /// A governor of cpufreq, as it stands in `scaling_governor`.
    package var governor: String?
    /// A word of `energy_performance_preference`.
    package var energyPreference: String?
    package var minimumFrequency: MinimumFrequency?
    /// Whether CPUs may run above their base frequency: all CPUs of the host.
    package var boost: Bool?
    /// The longest that a CPU may take to wake, in microseconds; 0 keeps it from sleeping at all.
    package var maximumWakeupLatency: Int?
    /// Whether the kernel's lockup detectors look after the CPUs.
    package var hasWatchdog = true
    package var contested = Contest.refuse
    /// Whether the threads of isolated vCPUs' cores that no vCPU uses stay idle.
    package var keepsWholeCores = false

    package init() {}
  }
}
