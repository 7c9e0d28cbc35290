/// A claim of one domain on one setting, with its reason.
package struct Change: Hashable, Sendable {
  package var setting: Setting
  package var claim: Claim
  /// Why the domain wants it, as the end of “… because”.
  package var reason: String
  /// What of the setting the reason begins with, before a space, where those of many changes differ
  /// in nothing else: the ledger keeps it once for all domains.
  package var subject: String?
  /// Whether the domain cannot start without it.
  package var isRequired: Bool
  /// What may be tried where the host grants only a part of it, in this order.
  package var remedies: [Step]
  /// What the change is one of many of, where those that fail are counted in one warning; nil for
  /// one whose failure is told by itself.
  package var countedAs: String?

  package init(
    _ setting: Setting, _ claim: Claim, of subject: String? = nil, because reason: String,
    isRequired: Bool = false, remedies: [Step] = []
  ) {
    self.setting = setting
    self.claim = claim
    self.subject = subject
    self.reason = subject.map { "\($0) \(reason)" } ?? reason
    self.isRequired = isRequired
    self.remedies = remedies
  }
}

/// Something that is done once, and of which the step itself puts nothing back.
package enum Step: Hashable, Sendable {
  /// Moves pages of one node together (`/sys/devices/system/node/nodeN/compact`).
  case compactMemory(node: Int)
  /// Drops clean page cache of the whole host (`/proc/sys/vm/drop_caches`).
  case dropCaches
  /// Waits until another domain has ended, and its hypervisor has done with it.
  case awaitEnd(Departure)
  /// Puts a value into a slow setting, and leaves it to others from then on: what was there comes
  /// back by the `lent` claim that stands beside the step.
  case once(Setting, Value)
  /// Puts what its hypervisor says of a setting of the domain's own into it, where something else stands.
  case correct(Setting, Value)
}

/// A domain that is on its way out.
package struct Departure: Hashable, Sendable {
  package var name: String
  package var process: ProcessIdentity
  /// A file that its hypervisor keeps until it has given back what was the domain's.
  package var file: String
  package var milliseconds: Int

  package init(name: String, process: ProcessIdentity, file: String, milliseconds: Int) {
    self.name = name
    self.process = process
    self.file = file
    self.milliseconds = milliseconds
  }
}

extension Step: CustomStringConvertible {
  package var description: String {
    switch self {
    case .compactMemory(let node): "compact the memory of node \(node)"
    case .dropCaches: "drop clean caches"
    case .awaitEnd(let departure):
      "wait until \(departure.name) has ended, \(departure.milliseconds) ms at most"
    case .once(let setting, let value), .correct(let setting, let value):
      "make \(setting) \(value)"
    }
  }
}

/// A step with its reason.
package struct PlannedStep: Hashable, Sendable {
  package var step: Step
  package var reason: String
  /// Whether the domain cannot start without it.
  package var isRequired: Bool

  package init(_ step: Step, because reason: String, isRequired: Bool = false) {
    self.step = step
    self.reason = reason
    self.isRequired = isRequired
  }
}

/// What a hypervisor has done by itself to the huge pages of one size.
package struct PoolEvent: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// It keeps the domain's pages for later runs: they are its own from here on.
    case kept
    /// It has set all pools back to what the kernel was booted with: free pages are gone, those in
    /// use are surplus, which goes with its user.
    case reset
  }

  package var pageKiB: Int
  package var kind: Kind

  package init(_ kind: Kind, pageKiB: Int) {
    self.kind = kind
    self.pageKiB = pageKiB
  }
}

/// Why a domain may not start as it is.
package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
  package var reason: String
  /// The line that puts it right, where there is one.
  package var fix: String?

  package init(_ reason: String, fix: String? = nil) {
    self.reason = reason
    self.fix = fix
  }

  package var description: String { fix.map { "\(reason); \($0)" } ?? reason }
}

/// CPUs that a domain has to itself and gives back, so that another one can start.
package struct Concession: Hashable, Sendable {
  package var holder: HolderID
  package var cpus: CPUList

  package init(by holder: HolderID, of cpus: CPUList) {
    self.holder = holder
    self.cpus = cpus
  }
}

/// All that one phase does to the host for one domain, and what stands against it.
package struct Plan: Hashable, Sendable {
  package var phase: Phase
  package var steps: [PlannedStep] = []
  /// Made before anything else and taken back at once; what is wanted of them is what they leave
  /// behind, such as functions that have started anew.
  package var cycles: [Change] = []
  /// Those of `changes` without which the rest cannot be planned: they are made first, and the plan
  /// is made anew on the host that they leave.
  package var preliminaries: [Change] = []
  package var changes: [Change] = []
  /// The goals that some of `changes` are for, each with the ways that are left where those fail.
  package var ladders: [Ladder] = []
  /// Whether the ways to the goals are all that the domain is to hold of what cgroups may use: what it held
  /// for earlier ones goes back before.
  package var replacesLadders = false
  /// What other domains have to give back before this one can start.
  package var concessions: [Concession] = []
  /// What has become of pages that Berth obtained.
  package var poolEvents: [PoolEvent] = []
  /// Whether more can be planned once this plan is carried out, as what it needs is there only then.
  package var isToBeContinued = false
  /// Whether all else has to be planned on the host as this plan leaves it.
  package var comesFirst = false
  /// Said to the administrator, and nothing else.
  package var warnings: [String] = []
  /// Said where somebody asks for the plan, and by no phase: what he may want to know once.
  package var notes: [String] = []
  /// What would stand against the plan if it were carried out now; said where somebody asks for it, and by
  /// no phase, which finds out.
  package var doubts: [String] = []
  /// What stands against the plan and may end by itself, as phrases.
  package var awaited: [String] = []
  /// If there is one, nothing of the plan is done.
  package var refusals: [Refusal] = []

  package init(phase: Phase) {
    self.phase = phase
  }

  /// Has a value put into a slow setting before any driver changes, once, and what was there put
  /// back when the domain leaves.
  package mutating func lend(_ setting: Setting, _ value: Value, because reason: String) {
    steps.append(PlannedStep(.once(setting, value), because: reason))
    changes.append(Change(setting, .lent(value), because: reason))
  }

  /// Adds the changes of a ladder's first rung, and what there is if they fail.
  package mutating func append(_ ladder: Ladder) {
    changes += ladder.rungs.first?.changes ?? []
    ladders.append(ladder)
  }

  package mutating func append(_ other: Plan) {
    steps += other.steps
    cycles += other.cycles
    preliminaries += other.preliminaries
    changes += other.changes
    ladders += other.ladders
    replacesLadders = replacesLadders || other.replacesLadders
    concessions += other.concessions
    poolEvents += other.poolEvents
    isToBeContinued = isToBeContinued || other.isToBeContinued
    comesFirst = comesFirst || other.comesFirst
    warnings += other.warnings
    notes += other.notes
    doubts += other.doubts
    awaited += other.awaited
    refusals += other.refusals
  }
}
