/// What has the memory of a node that no cache gives up, in KiB, as far as `meminfo` tells (fs/proc/meminfo.c,
/// `meminfo_proc_show()`; drivers/base/node.c, `node_read_meminfo()`).
package struct MemoryUse: Hashable, Sendable {
  /// Memory of programs that no file is behind: `AnonPages`.
  package var programsKiB = 0
  /// Files of tmpfs and shared memory: `Shmem`, which is no cache, as nothing else has it.
  package var sharedKiB = 0
  /// What the kernel itself keeps: `SUnreclaim`, `KernelStack`, `PageTables`.
  package var kernelKiB = 0

  package init() {}
}
