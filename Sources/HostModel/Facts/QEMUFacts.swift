internal import Bytes

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
  /// The cgroup that holds all of the domain's threads and nobody else's, as a path under the cgroup
  /// mount: its scope, or where no systemd made one, what the hypervisor made; nil where there is none.
  package var home: String?
  /// The cgroup of each vCPU under the cgroup mount, by vCPU number; empty where the hypervisor
  /// keeps all threads together.
  package var vcpuGroups: [Int: String]
  /// `cpuset.cpus` of those, where it was asked for.
  package var vcpuGroupCPUs: [Int: CPUList] = [:]
  /// The cgroups of the domain's other threads beside those of its vCPUs, in the order of their names.
  package var otherGroups: [ThreadGroupFacts] = []
  /// Whether the kernel lets the vCPUs' cgroups, or the one of all threads, name CPUs of their own
  /// (`cpuset.cpus.exclusive`), as far as that can be told before it is tried.
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
    home = scope
    self.vcpuGroups = vcpuGroups
    self.canPartition = canPartition
  }
}

/// The CPUs that the threads of a QEMU are kept to, whoever has pinned them.
package struct PinnedQEMU: Hashable, Sendable {
  package var hypervisor: Hypervisor
  /// libvirt's name of the domain, or Proxmox's number.
  package var name: String
  /// All CPUs that vCPUs are pinned to.
  package var vcpuCPUs: CPUList = []
  /// What its other threads are pinned to, each list once.
  package var otherPins: [CPUList] = []

  package init(hypervisor: Hypervisor, name: String) {
    self.hypervisor = hypervisor
    self.name = name
  }
}

/// A cgroup that a hypervisor made for some threads of a domain.
package struct ThreadGroupFacts: Hashable, Sendable {
  /// Under the cgroup mount.
  package var path: String
  /// `cpuset.cpus`; none where nobody has named any.
  package var cpus: CPUList

  package init(path: String, cpus: CPUList) {
    self.path = path
    self.cpus = cpus
  }

  /// `emulator`, `iothread1`.
  package var name: String { path.fields(at: "/").last.map(String.init) ?? path }
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
