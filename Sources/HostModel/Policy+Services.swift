extension Policy {
  /// What happens beside a domain while it is in.
  package struct Beside: Hashable, Sendable {
    /// Units that are stopped before the start; in this order.
    package var stoppedServices: [String] = []
    package var commands: [Command] = []
    /// Whether the host neither sleeps nor takes itself for idle.
    package var staysAwake = false
    /// Domains of the same hypervisor that are stopped before the start: names, UUIDs or vmids.
    package var stoppedDomains: [String] = []
    /// How long one of those may take to end, in milliseconds.
    package var patience = 60_000
    /// Whether the domain may not start while one of them runs.
    package var requiresStoppedDomains = false

    package init() {}
  }

  /// A command of the administrator's.
  package struct Command: Hashable, Sendable {
    package enum Moment: String, Hashable, Sendable, CaseIterable {
      case beforeStart = "before-start"
      case started
    }

    package var moment = Moment.beforeStart
    /// The program by its absolute path, and its arguments.
    package var run: [String]
    /// What takes it back; empty for nothing.
    package var undo: [String] = []
    package var milliseconds = 10_000
    package var isRequired = false

    package init(run: [String]) { self.run = run }
  }
}
