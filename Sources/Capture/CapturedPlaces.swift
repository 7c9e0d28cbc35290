internal import Bytes
internal import HostModel

/// Places of a host that a capture holds, and how much of what stands there.
struct CapturedPlaces {
  /// How a place is recorded.
  enum Manner {
    /// A file with all that it says.
    case text
    /// A file with what is left of its text; none where nothing is.
    case filtered(@Sendable (_ text: String, _ path: String) -> String?)
    /// That it is there, and where a link leads: files are empty.
    case existence
    /// The same of folders alone.
    case folders
    /// A folder with all its files, and those of the folders below it; links are only recorded.
    case everything
  }

  /// The folder, in which `*` and the like stand for any one name (glob(7)).
  var folder: String
  /// Names in the folder, or paths from there on.
  var names: [String]
  var manner: Manner

  private init(_ folder: String, _ names: String, _ manner: Manner = .text) {
    self.folder = folder
    self.names = names.fields(atAnyOf: " ", "\n").map(String.init)
    self.manner = manner
  }
}

extension CapturedPlaces {
  /// What every reader of facts reads, and what a reader of a bug report asks for.
  static let all = cpus + memory + kernel + devices + groups + uses + hypervisors + own

  private static let cpu = "/sys/devices/system/cpu"

  private static let cpus = [
    CapturedPlaces(cpu, "online offline possible present isolated nohz_full modalias"),
    CapturedPlaces("\(cpu)/cpu[0-9]*", "online cpu_capacity power/pm_qos_resume_latency_us"),
    CapturedPlaces("\(cpu)/cpu[0-9]*", "cpufreq", .existence),
    CapturedPlaces(
      "\(cpu)/cpu[0-9]*/topology",
      "thread_siblings_list core_siblings_list core_id die_id physical_package_id cluster_id"),
    CapturedPlaces("\(cpu)/cpu[0-9]*/cache/index*", "level type size shared_cpu_list"),
    CapturedPlaces("\(cpu)/cpu[0-9]*/cpuidle/state*", "name latency residency disable"),
    CapturedPlaces("\(cpu)/cpu[0-9]*/acpi_cppc", "highest_perf nominal_perf"),
    CapturedPlaces(
      "\(cpu)/cpufreq/policy*",
      """
      affected_cpus related_cpus scaling_driver scaling_governor scaling_available_governors
      scaling_available_frequencies scaling_max_freq scaling_min_freq cpuinfo_max_freq cpuinfo_min_freq base_frequency boost
      energy_performance_preference energy_performance_available_preferences
      """),
    CapturedPlaces(
      cpu,
      """
      cpufreq/boost intel_pstate/* amd_pstate/* cpuidle/* smt/active smt/control vulnerabilities/*
      """),
    CapturedPlaces("/sys/devices/cpu_*", "cpus"),
  ]

  private static let memory = [
    CapturedPlaces("/sys/devices/system/node", "online possible has_cpu has_memory"),
    CapturedPlaces("/sys/devices/system/node/node*", "cpulist distance meminfo hugepages/*/*"),
    CapturedPlaces("/sys/devices/system/node/node*", "compact", .existence),
    CapturedPlaces("/sys/kernel/mm", "*", .everything),
    CapturedPlaces("/proc", "meminfo buddyinfo pagetypeinfo"),
    CapturedPlaces("/proc/spl/kstat/zfs", "arcstats"),
  ]

  private static let kernel = [
    CapturedPlaces("/proc", "interrupts uptime loadavg"),
    CapturedPlaces("/proc", "cmdline", .filtered(Redaction.bootParameters)),
    CapturedPlaces("/proc", "cpuinfo", .filtered(Redaction.firstCPU)),
    CapturedPlaces("/proc/sys/vm", "*"),
    CapturedPlaces(
      "/proc/sys/kernel",
      """
      osrelease hostname tainted pid_max threads-max random/boot_id timer_migration sched_*
      numa_balancing* *watchdog* hung_task_* perf_event_max_sample_rate
      """),
    CapturedPlaces(
      "/proc/irq/[0-9]*",
      "smp_affinity smp_affinity_list effective_affinity effective_affinity_list node"),
    // Each who handles it has a folder.
    CapturedPlaces("/proc/irq/[0-9]*", "*", .folders),
    CapturedPlaces("/proc/irq", "default_smp_affinity"),
    // What is part of the kernel itself has a folder, too.
    CapturedPlaces("/sys/module", "*", .folders),
    CapturedPlaces("/sys/module/*", "initstate refcnt"),
    CapturedPlaces("/sys/module/*", "holders/* drivers/*", .existence),
    CapturedPlaces(
      "/sys/module",
      """
      kvm*/parameters/* vfio*/parameters/* nvidia*/parameters/* apparmor/parameters/enabled
      pcie_aspm/parameters/policy workqueue/parameters/* rcutree/parameters/*
      """),
    CapturedPlaces("/proc", "spl", .existence),
    CapturedPlaces("/sys/devices/virtual/workqueue", "cpumask* writeback/cpumask*"),
    CapturedPlaces("/sys/devices/system/clocksource/clocksource0", "*_clocksource"),
    CapturedPlaces("/sys/fs/selinux", "enforce"),
    CapturedPlaces(
      "/sys/kernel/security/apparmor", "profiles", .filtered(Redaction.profilesOfLibvirt)),
  ]

  private static let devices = [
    CapturedPlaces("/sys/bus/pci", "drivers_probe rescan", .existence),
    CapturedPlaces("/sys/bus/pci", "drivers_autoprobe"),
    CapturedPlaces(
      "/sys/bus/pci/devices/*",
      """
      vendor device class revision subsystem_vendor subsystem_device numa_node boot_vga modalias
      driver_override reset_method d3cold_allowed power/control power/runtime_status resource
      secondary_bus_number resource*_resize current_link_* max_link_* sriov_*
      """),
    CapturedPlaces(
      "/sys/bus/pci/devices/*",
      """
      driver iommu_group physfn virtfn* remove reset nvidia
      drm/* graphics/* net/* nvme/* sound/*/* vfio-dev/*
      """, .existence),
    CapturedPlaces("/sys/bus/pci/devices/*/mdev_supported_types/*", "available_instances"),
    CapturedPlaces("/sys/bus/pci/drivers/*", "bind unbind module *:*:*.*", .existence),
    CapturedPlaces("/sys/kernel/iommu_groups/*", "type reserved_regions"),
    CapturedPlaces("/sys/kernel/iommu_groups/*", "devices/*", .existence),
    CapturedPlaces("/sys/class/pci_bus/*", "rescan", .existence),
    CapturedPlaces("/sys/class/vtconsole/*", "name bind"),
    CapturedPlaces("/sys/bus/platform/devices/*-framebuffer.*", "driver_override"),
    CapturedPlaces("/sys/bus/platform/devices/*-framebuffer.*", "driver", .existence),
    CapturedPlaces("/sys/bus/platform/drivers/*-framebuffer", "bind unbind *.*", .existence),
    CapturedPlaces(
      "/proc/driver/nvidia/gpus/*", "information", .filtered(Redaction.informationOfGPU)),
  ]

  private static let group = """
    cpuset.cpus cpuset.cpus.* cpuset.mems cpuset.mems.effective cgroup.controllers cgroup.events
    cgroup.procs cgroup.subtree_control cgroup.threads cgroup.type
    """

  private static let groups = [
    CapturedPlaces(
      "/sys/fs/cgroup",
      "cpuset.cpus.* cpuset.mems.effective cgroup.controllers cgroup.subtree_control"),
    CapturedPlaces("/sys/fs/cgroup", "cpuset/tasks unified/cgroup.procs", .existence),
    CapturedPlaces("/run/systemd", "system", .folders),
    CapturedPlaces("/sys/fs/cgroup/*.slice", group),
    CapturedPlaces("/sys/fs/cgroup/init.scope", group),
    CapturedPlaces("/sys/fs/cgroup/lxc", group),
    CapturedPlaces("/sys/fs/cgroup/lxc.monitor", group),
    CapturedPlaces("/sys/fs/cgroup/qemu.slice/*", group),
    CapturedPlaces("/sys/fs/cgroup/machine.slice/*", group),
    CapturedPlaces("/sys/fs/cgroup/machine.slice/*/*", group),
    CapturedPlaces("/sys/fs/cgroup/machine.slice/*/libvirt/*", group),
    CapturedPlaces("/run/systemd/*/*.d", "50-AllowedCPUs.conf"),
  ]

  /// What the host does with its disks and interfaces.
  private static let uses = [
    CapturedPlaces("/sys/class/block/*", "dev dm/name"),
    CapturedPlaces("/sys/class/block/*", "loop/backing_file", .filtered(Redaction.disk)),
    CapturedPlaces("/sys/class/block/*", "dm/uuid", .filtered(Redaction.kindOfMapping)),
    CapturedPlaces("/sys/class/block/*", "holders/* md bcache", .existence),
    CapturedPlaces("/run/udev/data", "b[0-9]*", .filtered(Redaction.contentOfDisk)),
    CapturedPlaces("/sys/kernel/config/target/core/*/*", "udev_path", .filtered(Redaction.disk)),
    CapturedPlaces(
      "/sys/kernel/config/nvmet/subsystems/*/namespaces/*", "device_path",
      .filtered(Redaction.disk)),
    CapturedPlaces("/proc/bus/input", "devices", .filtered(Redaction.inputDevices)),
    CapturedPlaces("/proc", "mdstat"),
    CapturedPlaces("/sys/bus/mdev/devices", "*", .existence),
    CapturedPlaces("/sys/class/nvme-subsystem/*", "nvme*", .existence),
    CapturedPlaces("/sys/fs/btrfs/*", "devices/*", .existence),
    CapturedPlaces("/proc", "swaps", .filtered(Redaction.swaps)),
    CapturedPlaces("/proc/1", "mountinfo", .filtered(Redaction.mounts)),
    CapturedPlaces("/sys/class/net/*", "flags operstate"),
    CapturedPlaces("/sys/class/net/*", "device master upper_*", .existence),
    CapturedPlaces("/proc/net", "route", .filtered(Redaction.routes)),
    CapturedPlaces("/proc/net", "ipv6_route", .filtered(Redaction.routesOfIPv6)),
    CapturedPlaces("/proc/net", "if_inet6", .filtered(Redaction.addressesOfIPv6)),
  ]

  private static let hypervisors = [
    CapturedPlaces("/run/libvirt/qemu", "*.pid"),
    CapturedPlaces("/run/libvirt/qemu", "*.xml", .filtered(Redaction.domain)),
    CapturedPlaces("/etc/libvirt/qemu", "*.xml", .filtered(Redaction.domain)),
    CapturedPlaces("/etc/libvirt", "qemu.conf", .filtered(Redaction.settingsOfLibvirt)),
    CapturedPlaces("/etc/libvirt/hooks", "* *.d/*", .existence),
    CapturedPlaces("/run/libvirt", "virtqemud-sock", .existence),
    CapturedPlaces("/var/lib/vz/snippets", "*", .existence),
    CapturedPlaces("/run/qemu-server", "*.pid"),
    CapturedPlaces("/etc/pve/qemu-server", "*.conf", .filtered(Redaction.virtualMachine)),
    CapturedPlaces("/etc/pve", "storage.cfg", .filtered(Redaction.localStorage)),
    CapturedPlaces("/etc", "os-release"),
  ]

  private static let own = [
    // Whatever changes the record finds these, as on the host.
    CapturedPlaces("/", "run etc", .folders),
    CapturedPlaces("/run/berth", "ledger ledger.damaged*"),
    CapturedPlaces("/etc/berth", "berth.toml", .filtered(Redaction.policy)),
    CapturedPlaces("/etc/berth/berth.toml.d", "*.toml", .filtered(Redaction.policy)),
    CapturedPlaces("/usr/lib/berth/berth.toml.d", "*.toml", .filtered(Redaction.policy)),
    CapturedPlaces("/usr/lib/systemd/system", "berth-reconcile.* berth-live.*", .existence),
    CapturedPlaces("/usr/lib/udev/rules.d", "90-berth.rules", .existence),
    CapturedPlaces(
      "/etc/systemd/system/*.target.wants", "berth-reconcile.* berth-live.*", .existence),
    CapturedPlaces("/sys/power/suspend_stats", "success"),
    CapturedPlaces("/recorded", "*", .everything),
  ]

  /// An attribute of the kernel that the policy file names, or a program of which it is enough that
  /// it is there.
  init(namedByPolicy path: String) {
    let parts = path.fields(at: "/")
    let isAttribute = ["/sys/", "/proc/sys/"].contains(where: path.begins)
    // Nothing stands for more than one name here.
    let isPlain = !path.utf8.contains(where: "*?[\\".utf8.contains)
    self.init(
      "/" + parts.dropLast().joined(separator: "/"), isPlain ? String(parts.last ?? "") : "",
      isAttribute ? .text : .existence)
  }

  /// Units that get in the way of VMs, or that VMs need.
  static let units = [
    "irqbalance.service", "display-manager.service", "libvirtd.service", "virtqemud.service",
    "tuned.service", "power-profiles-daemon.service", "ksmtuned.service", "numad.service",
    "nvidia-persistenced.service",
  ]

  /// What tells one machine from all others, for whoever asks for it.
  static let identities = [
    CapturedPlaces("/sys/class/net/*", "address"),
    CapturedPlaces("/sys/class/block/*/device", "serial wwid"),
  ]
}
