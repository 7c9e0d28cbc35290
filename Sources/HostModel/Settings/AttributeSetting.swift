internal import Bytes

/// A file of sysfs, procfs or cgroupfs that holds one value.
struct AttributeSetting: SettingKind {
  let path: String
  let format: AttributeFormat

  static var word: String { "attribute" }
  var name: String { path }

  /// - A partition whose CPUs have gone offline while threads were in it turns into `isolated invalid
  ///   (No cpu available due to hotplug)`, or another reason on some kernels, and stays so when they
  ///   are back, as that of a VM lies below a group that is none (kernel/cgroup/cpuset.c, 6.12:
  ///   `cpuset_hotplug_update_tasks()`, `remote_partition_disable()`). Sleep alone does not do it: the
  ///   CPUs are frozen then (kernel/sched/core.c, `cpuset_cpu_inactive()`). Nobody can write that text.
  /// - The mask of an interrupt is broken with its last CPU, and set anew by drivers that request the
  ///   interrupt again (kernel/irq/manage.c, `irq_setup_affinity()`, `__irq_apply_affinity_hint()`).
  /// - What lies below `/sys/devices/system/cpu` outlives hotplug: governor and frequencies
  ///   (drivers/cpufreq/cpufreq.c, `cpufreq_offline()`, `cpufreq_init_policy()`), idle states
  ///   (drivers/cpuidle/sysfs.c, `states_usage`), and the latency limit, which is the CPU device's own
  ///   (drivers/base/cpu.c, `register_cpu()`). So do the masks of workqueues (kernel/workqueue.c,
  ///   `wq_requested_unbound_cpumask`) and `default_smp_affinity`, and all of `/proc/sys`.
  var kernelChanges: KernelChanges {
    if path.begins(with: "/sys/fs/cgroup/"), path.ends(with: "/cpuset.cpus.partition") {
      return .invalidation
    }
    return isInterruptMask ? .brokenMask : .none
  }

  private var isInterruptMask: Bool { format == .cpuList && path.begins(with: "/proc/irq/") }

  /// A file of a cgroup goes by its own name and that of the group.
  var title: String {
    guard path.begins(with: "/sys/fs/cgroup/") else { return path }
    let parts = path.fields(at: "/").suffix(2)
    return "\(parts.last ?? "") of \(parts.first ?? "")"
  }

  var family: SettingFamily? {
    if path.begins(with: "/sys/fs/cgroup/") { return .isolation }
    if path.begins(with: "/proc/irq/") { return .interrupts }
    guard path.begins(with: "/sys/devices/system/cpu/cpu") else { return nil }
    let isOfSleep = path.has(text: "/cpuidle/") || path.has(text: "pm_qos_resume_latency")
    return isOfSleep ? .idleStates : .frequency
  }

  var driftSummary: String? {
    isInterruptMask ? InterruptSetting.driftSummary : nil
  }

  func write(to words: inout WordWriter) {
    words.raw(format.rawValue)
    words.text(path)
  }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    let format: AttributeFormat = try words.keyword(else: "no format of an attribute")
    return .attribute(path: try words.text(), format)
  }
}

/// How the text of an attribute is to be understood.
package enum AttributeFormat: String, Hashable, Sendable {
  /// Compared as text without white space at its ends.
  case text
  /// A cpulist: `0-3,8`.
  case cpuList = "cpulist"
  /// A hexadecimal mask: `ff`.
  case cpuMask = "cpumask"
  /// One of several words, the chosen one in brackets: `always [madvise] never`.
  case selection
}
