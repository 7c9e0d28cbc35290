/// A unit that policy names, as systemd knows it.
package struct ServiceFacts: Hashable, Sendable {
  /// The name that was asked for.
  package var asked: String
  /// The unit's own name, where the other is an alias of it; nil where there is no such unit.
  package var unit: String?
  package var isActive = false
  /// Whether the unit is gone for good once it stops.
  package var isTransient = false
  package var canStart = true
  package var canStop = true
  /// Units that are active and would be stopped with it.
  package var dependents: [String] = []
  /// Why systemd could not be asked.
  package var problem: String?

  package init(asked: String) { self.asked = asked }
}

/// A program that policy names.
package struct ProgramFacts: Hashable, Sendable {
  package var path: String
  /// Why it is not run, as the end of “it …”; nil for one that root alone can change.
  package var objection: String?

  package init(path: String, objection: String? = nil) {
    self.path = path
    self.objection = objection
  }
}

/// A domain that policy names beside another one.
package struct CompanionFacts: Hashable, Sendable {
  /// The name, UUID or vmid that was asked for.
  package var asked: String
  /// Its UUID or vmid.
  package var id: String
  package var process: ProcessIdentity
  /// The file in which its hypervisor keeps its process number.
  package var file: String

  package init(asked: String, id: String, process: ProcessIdentity, file: String) {
    self.asked = asked
    self.id = id
    self.process = process
    self.file = file
  }
}
