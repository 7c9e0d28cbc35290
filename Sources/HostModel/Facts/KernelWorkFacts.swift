/// What the kernel does by itself, in threads of its own.
package struct KernelWorkFacts: Hashable, Sendable {
  /// Its threads that may be moved, ascending by their numbers.
  package var threads: [KernelThreadFacts] = []
  /// The masks of work that is bound to no CPU.
  package var queues: [WorkqueueFacts] = []
  /// Whether CPUs have been taken from all other tasks by a partition, which takes unbound work off
  /// them as well.
  package var isPartitioned = false

  package init() {}
}

/// A thread of the kernel that belongs to nobody's cgroup.
package struct KernelThreadFacts: Hashable, Sendable {
  package var thread: HostThread
  /// `comm`: `kswapd0`, `kvm-pit/4242`.
  package var name: String
  package var cpus: CPUList

  package init(thread: HostThread, name: String, cpus: CPUList) {
    self.thread = thread
    self.name = name
    self.cpus = cpus
  }
}

/// A mask below `/sys/devices/virtual/workqueue`.
package struct WorkqueueFacts: Hashable, Sendable {
  package var path: String
  /// The CPUs that were asked for.
  package var cpus: CPUList

  package init(path: String, cpus: CPUList) {
    self.path = path
    self.cpus = cpus
  }
}
