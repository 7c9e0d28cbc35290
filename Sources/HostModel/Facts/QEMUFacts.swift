/// A domain's running QEMU.
package struct QEMUFacts: Hashable, Sendable {
  package var identity: ProcessIdentity
  /// The threads of the process and the kernel threads that work for it, ascending by TID.
  package var threads: [ThreadFacts]
  /// Why the threads' roles are taken from their names, where QEMU should have told them.
  package var rolesAreGuessed: String?
  /// The cgroup that systemd made for the domain, as a path under the cgroup mount:
  /// `machine.slice/machine-qemu\x2d1\x2dvm.scope`; nil where it is in none of its own.
  package var scope: String?
  /// The cgroup of each vCPU under the cgroup mount, by vCPU number; empty where the hypervisor
  /// keeps all threads together.
  package var vcpuGroups: [Int: String]
  /// Whether the vCPUs' cgroups, or the one of all threads, can be made remote partitions (`cpuset.cpus.exclusive` is there).
  package var canPartition: Bool
  /// Read only where it is asked for.
  package var cookie = CoreCookie.none

  /// Who may run on a core beside a thread of the process.
  package enum CoreCookie: Hashable, Sendable {
    /// Anybody.
    case none
    /// Threads of the process, and of those that it shares its cookie with.
    case own
    /// Each of its threads as somebody has decided for that thread.
    case mixed
    /// Core scheduling cannot be had; the sentence says why.
    case unavailable(String)
  }

  package init(
    identity: ProcessIdentity, threads: [ThreadFacts] = [], scope: String? = nil,
    vcpuGroups: [Int: String] = [:], canPartition: Bool = false
  ) {
    self.identity = identity
    self.threads = threads
    self.scope = scope
    self.vcpuGroups = vcpuGroups
    self.canPartition = canPartition
  }
}

/// One thread, with what the host lets it do now.
package struct ThreadFacts: Hashable, Sendable {
  package var thread: HostThread
  /// `comm`, at most 15 characters.
  package var name: String
  package var affinity: CPUList
  package var scheduler: ThreadScheduler

  package init(
    thread: HostThread, name: String, affinity: CPUList, scheduler: ThreadScheduler
  ) {
    self.thread = thread
    self.name = name
    self.affinity = affinity
    self.scheduler = scheduler
  }
}
