/// How deep one CPU may sleep.
package struct IdleFacts: Hashable, Sendable {
  package var cpu: Int
  /// The text of `power/pm_qos_resume_latency_us`; nil where the kernel has no such file.
  package var latencyLimit: String?
  /// The CPU's idle states but the first, which does not sleep; read only where there is no limit
  /// to be set.
  package var states: [IdleState] = []

  package init(cpu: Int, latencyLimit: String?) {
    self.cpu = cpu
    self.latencyLimit = latencyLimit
  }
}

/// One state of `cpuidle`.
package struct IdleState: Hashable, Sendable {
  package var index: Int
  package var name: String
  /// How long the CPU takes to wake from it, in microseconds.
  package var latency: Int

  package init(index: Int, name: String, latency: Int) {
    self.index = index
    self.name = name
    self.latency = latency
  }
}
