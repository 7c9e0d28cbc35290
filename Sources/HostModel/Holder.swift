internal import Bytes

/// Who holds a claim: the domain's identity in its hypervisor, never its name.
package struct HolderID: Hashable, Sendable {
  package var hypervisor: Hypervisor
  /// The libvirt UUID, or the vmid.
  package var id: String

  package init(hypervisor: Hypervisor, id: String) {
    self.hypervisor = hypervisor
    self.id = id
  }
}

extension HolderID: CustomStringConvertible {
  package var description: String { "\(hypervisor.rawValue):\(id)" }

  /// The holder that `description` names; nil if the text names none.
  package init?(_ text: String) {
    let parts = text.fields(at: ":", maxSplits: 1, keepingEmpty: true)
    guard parts.count == 2, !parts[1].isEmpty,
      let hypervisor = Hypervisor(rawValue: String(parts[0]))
    else {
      return nil
    }
    self.init(hypervisor: hypervisor, id: String(parts[1]))
  }
}

extension Domain {
  /// Whose claims the domain's are: by its UUID or vmid, or by its name where a bare file has
  /// neither, and then never those of one with an id.
  package var holder: HolderID { HolderID(hypervisor: hypervisor, id: id ?? "name:\(name)") }
}

/// A process that cannot be mistaken for a later one with the same number.
package struct ProcessIdentity: Hashable, Sendable {
  package var pid: Int
  /// Field 22 of `/proc/PID/stat`: clock ticks from boot to the start of the process.
  package var startTime: UInt64

  package init(pid: Int, startTime: UInt64) {
    self.pid = pid
    self.startTime = startTime
  }
}

/// A domain that is in, or on its way in.
package struct Holder: Hashable, Sendable {
  package var id: HolderID
  package var name: String
  /// The hook that prepares the host for the domain, until QEMU is known.
  package var hook: ProcessIdentity?
  /// The process that carries out the domain's claims now, one after the other; they are its own
  /// alone to settle for as long as it lives.
  package var worker: ProcessIdentity?
  /// The domain's QEMU process, from `started` on.
  package var process: ProcessIdentity?
  /// The CPUs that the domain's vCPUs are pinned to.
  package var vcpuCPUs: CPUList
  /// Seconds from boot to the end of the domain's `prepare`.
  package var since: Int
  /// Whether the hypervisor has said that the domain runs, whether its QEMU was found or not.
  package var hasArrived: Bool
  /// Seconds from boot to when its QEMU was first found to be gone, while its hypervisor had not said
  /// so yet.
  package var ended: Int?
  /// Where its ways to goals have ended that could be reached in several.
  package var attained: [Attainment] = []

  package init(
    id: HolderID, name: String, hook: ProcessIdentity? = nil, worker: ProcessIdentity? = nil,
    process: ProcessIdentity? = nil, vcpuCPUs: CPUList = [], since: Int = 0,
    hasArrived: Bool = false
  ) {
    self.id = id
    self.name = name
    self.hook = hook
    self.worker = worker
    self.process = process
    self.vcpuCPUs = vcpuCPUs
    self.since = since
    self.hasArrived = hasArrived
  }
}

extension Holder {
  /// Whether the domain runs, as far as anybody has said.
  package var isIn: Bool { hasArrived || process != nil }

  /// Whether what serves its guest alone is still to be done, once that runs.
  package var awaitsGuest: Bool {
    isIn && attained.contains { $0.goal == Attainment.service && $0.rung == nil }
  }

  /// Whether the hook that prepares the host for the domain has not heard of its QEMU yet.
  package var isArriving: Bool { hook != nil && process == nil }
}
