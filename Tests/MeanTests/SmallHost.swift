/// A host that is quickly made and read: two nodes of 4 CPUs and 192 MiB that can be huge pages each,
/// two graphics cards of which one has a sound function, a network card, some interrupts, libvirt's and Proxmox's
/// slices, one service, and a kernel thread.
enum SmallHost {
  static let allCPUs = "0-7"

  static let pageKiB = 2048
  /// How many huge pages a node has memory for.
  static let pages = 96
  static let service = "noisy.service"
  static let bridge = "sys/devices/pci0000:00/0000:00:01.0"

  static let text =
    kernel + cpus + memory + cards + interrupts + groups + processes + services

  private static let kernel = """
    proc/sys/kernel/osrelease\t6.12.48
    proc/sys/kernel/sched_rt_runtime_us\t950000
    proc/sys/kernel/random/boot_id\t3f0c2b7e-5d0a-4d0c-9a57-6f1f3c1f2b60
    proc/sys/kernel/hostname\tsmall
    proc/sys/kernel/numa_balancing\t1
    proc/sys/vm/drop_caches\t0
    proc/sys/vm/compact_memory\t0
    proc/sys/vm/stat_interval\t1
    proc/self/cgroup\t0::/system.slice/libvirtd.service
    sys/devices/virtual/workqueue/cpumask\tff
    sys/power/state\tfreeze mem
    sys/power/suspend_stats/success\t0
    run/lock/hugepages.lck\t\\c
    var/lock -> ../run/lock

    """

  private static var cpus: String {
    var text = """
      sys/devices/system/cpu/possible\t0-7
      sys/devices/system/cpu/present\t0-7
      sys/devices/system/cpu/online\t0-7
      sys/devices/system/cpu/offline\t\\n\\c
      sys/devices/system/cpu/isolated\t\\n\\c

      """
    for cpu in 0..<8 {
      let place = "sys/devices/system/cpu/cpu\(cpu)"
      if cpu > 0 { text += "\(place)/online\t1\n" }
      text += """
        \(place)/topology/thread_siblings_list\t\(cpu)
        \(place)/topology/core_id\t\(cpu)
        \(place)/topology/physical_package_id\t\(cpu / 4)
        \(place)/power/pm_qos_resume_latency_us\t0

        """
    }
    return text
  }

  private static var memory: String {
    var text = """
      proc/meminfo\tMemTotal: 1048576 kB
      \tMemFree: \(2 * pages * pageKiB) kB
      \tMemAvailable: \(2 * pages * pageKiB) kB
      \tHugePages_Total: 0
      \tHugePages_Free: 0
      \tHugePages_Rsvd: 0
      \tHugePages_Surp: 0
      \tHugepagesize: 2048 kB
      sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages\t0
      sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages\t0
      sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages\t0
      sys/kernel/mm/hugepages/hugepages-2048kB/surplus_hugepages\t0
      sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages\t0
      sys/devices/system/node/possible\t0-1
      sys/devices/system/node/online\t0-1

      """
    for node in 0..<2 {
      let place = "sys/devices/system/node/node\(node)"
      text += """
        \(place)/cpulist\t\(node * 4)-\(node * 4 + 3)
        \(place)/distance\t\(node == 0 ? "10 21" : "21 10")
        \(place)/meminfo\tNode \(node) MemTotal: 524288 kB
        \tNode \(node) MemFree: \(pages * pageKiB) kB
        \tNode \(node) MemUsed: 131072 kB
        \tNode \(node) HugePages_Total: 0
        \tNode \(node) HugePages_Free: 0
        \tNode \(node) HugePages_Surp: 0
        \(place)/compact\t\\c
        \(place)/hugepages/hugepages-2048kB/nr_hugepages\t0
        \(place)/hugepages/hugepages-2048kB/free_hugepages\t0
        \(place)/hugepages/hugepages-2048kB/surplus_hugepages\t0

        """
    }
    return text
  }

  /// Each function with its driver and its group; the sound function is in the group of its card.
  static let functions = [
    (name: "0000:05:00.0", driver: "amdgpu", code: "0x030000", group: 10),
    (name: "0000:05:00.1", driver: "snd_hda_intel", code: "0x040300", group: 10),
    (name: "0000:06:00.0", driver: "nouveau", code: "0x030000", group: 11),
    (name: "0000:07:00.0", driver: "igb", code: "0x020000", group: 12),
  ]

  private static var cards: String {
    var text = "sys/bus/pci/drivers_probe\t\\c\nsys/bus/pci/rescan\t\\c\nsys/module/vfio_pci/\n"
    var limits: [String] = []
    for driver in ["vfio-pci"] + functions.map(\.driver) {
      text += "sys/bus/pci/drivers/\(driver)/bind\t\\c\nsys/bus/pci/drivers/\(driver)/unbind\t\\c\n"
    }
    for (name, driver, code, group) in functions {
      let place = "\(bridge)/\(name)"
      let below = place.dropFirst("sys/".count)
      text += """
        sys/bus/pci/devices/\(name) -> ../../../\(below)
        \(place)/class\t\(code)
        \(place)/vendor\t0x1002
        \(place)/device\t0x0001
        \(place)/numa_node\t1
        \(place)/driver_override\t(null)
        \(place)/power/control\t\(name == "0000:05:00.0" ? "auto" : "on")
        \(place)/driver -> ../../../../bus/pci/drivers/\(driver)
        sys/bus/pci/drivers/\(driver)/\(name) -> ../../../../\(below)
        \(place)/iommu_group -> ../../../../kernel/iommu_groups/\(group)
        sys/kernel/iommu_groups/\(group)/devices/\(name) -> ../../../../../\(place)

        """
      limits.append("/sys/bus/pci/devices/\(name) driver \(driver)")
    }
    text += """
      \(bridge)/0000:07:00.0/remove\t\\c
      \(bridge)/pci_bus/0000:07/rescan\t\\c
      sys/class/pci_bus/0000:07 -> ../../\(bridge.dropFirst("sys/".count))/pci_bus/0000:07

      """
    text += "recorded/limits\t" + limits.joined(separator: "\n\t") + "\n"
    return text
  }

  private static var interrupts: String {
    var text = "proc/irq/default_smp_affinity\tff\n"
    for (number, action) in [(30, "nvme0q1"), (31, "eth0-rx")] {
      text += """
        proc/irq/\(number)/smp_affinity_list\t0-7
        proc/irq/\(number)/smp_affinity\tff
        proc/irq/\(number)/effective_affinity_list\t0
        proc/irq/\(number)/\(action)/

        """
    }
    return text
  }

  private static var groups: String {
    var text = """
      sys/fs/cgroup/cgroup.controllers\tcpuset cpu memory
      sys/fs/cgroup/cgroup.subtree_control\tcpuset cpu memory
      sys/fs/cgroup/cgroup.procs\t2
      sys/fs/cgroup/cpuset.cpus.effective\t\(allCPUs)
      sys/fs/cgroup/cpuset.cpus.isolated\t\\n\\c
      run/systemd/

      """
    for slice in ["init.scope", "system.slice", "user.slice", "machine.slice", "qemu.slice"] {
      text += group("sys/fs/cgroup/\(slice)", process: slice == "init.scope" ? "1" : "\\c")
    }
    return text
  }

  /// The files of one cgroup with a cpuset.
  static func group(_ place: String, process: String = "\\c", cpus: String = "\\n\\c") -> String {
    """
    \(place)/cgroup.procs\t\(process)
    \(place)/cgroup.events\tpopulated 1
    \tfrozen 0
    \(place)/cgroup.subtree_control\tcpuset cpu
    \(place)/cpuset.cpus\t\(cpus)
    \(place)/cpuset.cpus.effective\t\(cpus == "\\n\\c" ? "0-7" : cpus)
    \(place)/cpuset.cpus.exclusive\t\\n\\c
    \(place)/cpuset.cpus.partition\tmember

    """
  }

  private static var processes: String {
    process(1, "systemd", group: "/init.scope", arguments: ["/sbin/init"])
      + process(2, "kthreadd", group: "/", flags: 2_129_984)
      + process(1000, "libvirtd", group: "/system.slice/libvirtd.service", arguments: ["libvirtd"])
  }

  /// A process of one thread.
  static func process(
    _ pid: Int, _ name: String, parent: Int = 1, start: UInt64 = 4, group: String,
    arguments: [String] = [], flags: Int = 4_194_560
  ) -> String {
    let line = arguments.map { $0 + "\\0" }.joined()
    return "proc/\(pid)/cmdline\t\(line)\\c\n"
      + thread(pid, name, at: "proc/\(pid)", parent, start, group, flags)
      + thread(pid, name, at: "proc/\(pid)/task/\(pid)", parent, start, group, flags)
  }

  static func thread(
    _ tid: Int, _ name: String, at place: String, _ parent: Int, _ start: UInt64, _ group: String,
    _ flags: Int = 4_194_560, cpus: String = "0-7", more: String = ""
  ) -> String {
    """
    \(place)/comm\t\(name)
    \(place)/stat\t\(tid) (\(name)) S \(parent) \(tid) \(tid) 0 -1 \(flags) \
    512 0 0 0 10 5 0 0 20 0 1 0 \(start) 170000000 3000 18446744073709551615 1 1 0 0 0 0 0 \
    4096 17663 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0
    \(place)/status\tName:\\t\(name)
    \tState:\\tS (sleeping)
    \tCpus_allowed:\\tff
    \tCpus_allowed_list:\\t\(cpus)\(more)
    \(place)/cgroup\t0::\(group)

    """
  }

  private static let services = "recorded/units/\(service)\tactive\n"
}
