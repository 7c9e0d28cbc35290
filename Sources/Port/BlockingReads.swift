package import Bytes

/// Which files' reads somebody else may hold up, for as long as a driver or a process hangs.
///
/// They are read where they can be left behind, at the price of a child process each. Whoever reads
/// them in the hook's own process would hang with the driver, with the ledger's lock in its hands.
///
/// - `driver_override` takes the lock of its device, which an unbind holds that does not end
///   (drivers/pci/pci-sysfs.c and drivers/base/platform.c, `driver_override_show()`, since Linux 4.13;
///   where the driver core itself keeps the override, it has a lock of its own).
/// - `sriov_numvfs` takes the same lock (drivers/pci/iov.c, `sriov_numvfs_show()`, Linux 5.8 to 6.8).
/// - `resourceN_resize` and `config` wait for the function's power management and wake the port above
///   it (drivers/pci/pci-sysfs.c, `__resource_resize_show()`, `pci_config_pm_runtime_get()`). So do
///   `current_link_speed`, `current_link_width` and `max_link_width` since Linux 6.18 and in its stable
///   releases; but every function has those, so that they are read here only where one sleeps
///   (`FactReader.link(of:)`).
/// - `uevent` takes the lock of its device (drivers/base/core.c, `uevent_show()`, but for 6.11).
/// - `bind` of a console's driver takes the lock of all consoles, which drivers of displays hold while
///   they repaint (drivers/tty/vt/vt.c, `show_bind()`, since 5.3).
/// - `/proc/bus/input/devices` takes the lock under which a keyboard that comes is opened, which wakes its
///   hub (drivers/input/input.c, `input_seq_start()`, `input_register_device()`).
/// - What NVIDIA's driver tells below `/proc/driver/nvidia` wakes the GPU and takes the driver's own
///   locks (kernel-open/nvidia/nv-procfs.c, `nv_procfs_read_gpu_info()`).
/// - `cmdline`, `environ`, `maps`, `smaps`, `smaps_rollup` and `numa_maps` of a process take the lock
///   of its memory, which a thread of it may hold that waits for a network file system
///   (fs/proc/base.c, `get_mm_cmdline()`, `environ_read()`; fs/proc/task_mmu.c, `m_start()`;
///   mm/memory.c, `__access_remote_vm()`). Who waits for that one can be killed.
///
/// Whatever else Berth reads takes no lock under which a driver waits for a device or a user:
/// `reset_method`, `d3cold_allowed`, `power/control`, `numa_node`, `class` and `resource` of a
/// function take none, nor do `udev_path` and `device_path` of configfs, `backing_file` of a loop device,
/// `/sys/module`, huge page pools, topology, `/proc/irq`, `/proc/interrupts` and `stat`, `status`, `comm`,
/// `schedstat` and `cgroup` of a task; cgroupfs shows cpusets under a spinlock (kernel/cgroup/cpuset.c, `cpuset_common_seq_show()`), `flags` of an
/// interface is read under RCU (net/core/net-sysfs.c, `netdev_show()`), and cpufreq's lock is held for
/// a change of the CPU's own registers (drivers/cpufreq/cpufreq.c, `show()`). Names in a folder, links
/// and modes are kernfs's own and never wait for a driver (fs/kernfs/dir.c).
package enum BlockingReads {
  private static let attributes: [StaticString] = [
    "driver_override", "sriov_numvfs", "uevent", "config",
  ]
  private static let files: [StaticString] = [
    "cmdline", "environ", "maps", "smaps", "smaps_rollup", "numa_maps",
  ]

  /// Whether the read of a file may be held up.
  package static func include(_ path: HostPath) -> Bool {
    if path.leadsNowhere { return false }
    let path = path.cString.span.extracting(droppingLast: 1)
    let name = (path.lastIndex(of: UInt8(ascii: "/")) ?? 0) + 1
    if path.has("/sys/", at: 0) {
      return attributes.contains { path.isNamed($0, at: name) }
        || path.has("_resize", at: path.count - 7)
        || path.has("/sys/class/vtconsole/", at: 0) && path.isNamed("bind", at: name)
    }
    guard path.has("/proc/", at: 0) else { return false }
    if path.has("/proc/driver/nvidia/", at: 0) || path.has("/proc/bus/input/", at: 0) {
      return true
    }
    return path.count > 6 && path[6].isDigit && files.contains { path.isNamed($0, at: name) }
  }
}

extension Span<UInt8> {
  /// Whether these bytes, and no more, stand from a place on.
  fileprivate func isNamed(_ name: StaticString, at place: Int) -> Bool {
    place + name.utf8CodeUnitCount == count && has(name, at: place)
  }
}
