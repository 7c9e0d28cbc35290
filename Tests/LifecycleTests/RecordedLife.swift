internal import Bytes
import HostModel
import Ledger
import Lifecycle
import Port
internal import Recorded
import Support
import Testing
import Tunings

/// What hypervisors say of domains that run.
final class RunningDomains {
  var requests: [HolderID: Request] = [:]

  /// What happens as somebody asks; once.
  var whenAsked: (() throws -> Void)?

  func request(of holder: Holder) throws -> Request? {
    if let event = whenAsked {
      whenAsked = nil
      try event()
    }
    return requests[holder.id]
  }
}

/// The recorded workstation with a domain that has pins and nothing else, played by the code that a
/// hook runs.
final class RecordedLife {
  let host: Workstation
  private let lifecycle: Lifecycle
  let store = MemoryStore()
  let running = RunningDomains()
  private let before: [HostPath: String]

  /// - Parameters:
  ///   - lines: What the host has besides what is recorded.
  ///   - units: Where its guards are made; nil for a host without.
  /// - Throws: Where the host cannot be unpacked.
  init(_ lines: String = "", units: (any TransientUnits)? = nil) throws {
    host = try Workstation()
    try host.add(lines)
    lifecycle = Lifecycle(
      kernel: host.kernel, systemd: host.systemd, units: units, store: store,
      requests: running.request)
    before = try Self.contents(of: .root, host)
  }

  /// A domain on CPUs 5 and 13, or others, that leaves the rest of the host alone.
  static func domain(_ id: String = "gaming", on cpus: [Int] = [5, 13]) -> Domain {
    var domain = Domain(hypervisor: .libvirt, name: id, id: id, vcpus: cpus.count)
    for (vcpu, cpu) in cpus.enumerated() { domain.vcpuPins[vcpu] = [cpu] }
    return domain
  }

  /// Plays one phase; the warnings and failures of it.
  @discardableResult
  func play(
    _ phase: Phase, _ domain: Domain = domain(), _ change: (inout Policy) -> Void = { _ in }
  ) throws -> [String] {
    var policy = Policy()
    policy.isolation = .none
    change(&policy)
    let holder = HolderID(hypervisor: domain.hypervisor, id: domain.name)
    let outcome = try lifecycle.play(
      Request(domain: domain, phase: phase, policy: policy), by: holder)
    return outcome.warnings + outcome.failures + outcome.drifts
  }

  /// Has a domain that runs be as its hypervisor says from now on.
  func tell(_ domain: Domain, _ change: (inout Policy) -> Void = { _ in }) {
    var policy = Policy()
    policy.interrupts.move = .never
    policy.kernelThreads = .never
    change(&policy)
    let holder = HolderID(hypervisor: domain.hypervisor, id: domain.name)
    running.requests[holder] = Request(domain: domain, phase: .reconnect, policy: policy)
  }

  /// What the guard does from time to time; its warnings and failures.
  func reconcile(attempt: Int = 0) throws -> [String] {
    let outcome = try lifecycle.reconcile(attempt: attempt, until: Deadline(nanoseconds: .max))
    return outcome.warnings + outcome.failures + outcome.drifts
  }

  /// The functions that VMs which run have no more.
  func departures() throws -> [FunctionDeparture] {
    try lifecycle.departures(in: store.load(), until: Deadline(nanoseconds: .max))
  }

  func releaseAll() throws -> [String] {
    let outcome = try lifecycle.releaseAll(until: Deadline(nanoseconds: .max))
    return outcome.warnings + outcome.failures + outcome.drifts
  }

  func ledger() throws -> Ledger { try store.load() }

  func word(_ path: HostPath) throws -> String { try host.word(path) }

  /// The files below some places that read otherwise than before the test.
  func difference(below prefixes: String...) throws -> [String] {
    let after = try Self.contents(of: .root, host)
    return Set(before.keys).union(after.keys).sorted()
      .filter { path in prefixes.contains { path.starts(with: $0) } && before[path] != after[path] }
      .map { "\($0): \(before[$0] ?? "-") is \(after[$0] ?? "-")" }
  }

  private static func contents(
    of path: HostPath, _ host: Workstation
  ) throws -> [HostPath: String] {
    var found: [HostPath: String] = [:]
    // What a thread was given by somebody is shown by no kernel.
    for name in try host.kernel.entries(of: path) where name != "user-cpus" {
      let place: HostPath = "\(path)/\(name)"
      if let target = try? host.kernel.destination(of: place) {
        found[place] = "-> \(target)"
      } else if let text = try? host.kernel.text(of: place) {
        // Once set, the list cannot be emptied while tasks are in the group: it names all CPUs.
        let isUnconfined = name == "cpuset.cpus" && text.trimmed == "0-15"
        found[place] = isUnconfined ? "" : text.trimmed
      } else {
        found.merge(try contents(of: place, host)) { first, _ in first }
      }
    }
    return found
  }
}
