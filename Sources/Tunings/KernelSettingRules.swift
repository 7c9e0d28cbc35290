internal import Bytes
internal import HostModel

/// What is known of single attributes, by what the kernel does when they are written.
///
/// Each is left alone whose original could not be put back: what only goes one way, what changes others with
/// it that nobody recorded, what the kernel changes by itself, and what is a request.
enum KernelSettingRules {
  private struct Rule {
    var prefix: String
    var suffix: String
    /// The value that is meant; nil for every value.
    var value: String?
    /// The first kernel that is meant.
    var since: KernelVersion?
    var reason: String

    init(
      _ prefix: String, ending suffix: String = "", value: String? = nil,
      since: KernelVersion? = nil, _ reason: String
    ) {
      self.prefix = prefix
      self.suffix = suffix
      self.value = value
      self.since = since
      self.reason = reason
    }

    func applies(to value: String, at path: String, _ kernel: KernelVersion) -> Bool {
      path.begins(with: prefix) && path.ends(with: suffix)
        && (self.value.map { $0 == value } ?? true) && (since.map { $0 <= kernel } ?? true)
    }
  }

  private static let request = "it is a request and no value, so there is nothing to give back"
  private static let oneWay = "the kernel does not take it back until the next boot"
  private static let hasKey = "the keys cpu.* set it in an order that can be given back"
  private static let pages = "hugepages.reserve keeps account of these pages"
  private static let arc = "what its 0 stands for cannot be put back"
  private static let interfaces =
    "the kernel gives every interface the same value, and theirs would not come back"
  private static let itself =
    "the kernel changes it by itself, which cannot be told from an administrator's change"

  private static let rules: [Rule] = [
    Rule(
      "/proc/sys/vm/compaction_proactiveness",
      "a write makes the kernel compact the memory of all nodes at once, and so does giving it back"
    ),
    Rule("/proc/sys/vm/compact_memory", request),
    Rule("/proc/sys/vm/drop_caches", request),
    Rule("/proc/sys/vm/stat_refresh", request),
    Rule("/proc/sys/net/", ending: "/flush", request),
    Rule("/proc/sys/vm/stat_interval", value: "0", "the kernel would count without a pause"),
    Rule("/proc/sys/vm/nr_hugepages", pages),
    Rule("/sys/kernel/mm/hugepages/", pages),
    Rule(
      "/proc/sys/kernel/sched_rt_runtime_us", since: KernelVersion(major: 6, minor: 12),
      "from Linux 6.12 on it throttles no real-time task, and cannot always be put back (EBUSY)"),
    Rule("/proc/sys/kernel/modules_disabled", oneWay),
    Rule("/proc/sys/kernel/kexec_load_disabled", oneWay),
    Rule("/proc/sys/kernel/unprivileged_bpf_disabled", value: "1", oneWay),
    // security/yama/yama_lsm.c, `yama_dointvec_minmax()`.
    Rule("/proc/sys/kernel/yama/ptrace_scope", value: "3", oneWay),
    // kernel/kexec_core.c, `kexec_limit_handler()`: only less.
    Rule("/proc/sys/kernel/kexec_load_limit_", oneWay),
    // kernel/panic.c and kernel/sysctl.c, `proc_taint()`: flags are only added.
    Rule("/proc/sys/kernel/tainted", oneWay),
    // kernel/umh.c, `proc_cap_handler()`: capabilities are only taken.
    Rule("/proc/sys/kernel/usermodehelper/", oneWay),
    // kernel/module/signing.c and security/apparmor/lsm.c: `bool_enable_only`.
    Rule("/sys/module/module/parameters/sig_enforce", oneWay),
    Rule("/sys/module/apparmor/parameters/", oneWay),
    Rule("/proc/sys/kernel/ns_last_pid", request),
    Rule("/proc/sys/fs/binfmt_misc/", request),
    // net/ipv4/devinet.c, `inet_forward_change()`; net/ipv6/addrconf.c, `addrconf_fixup_forwarding()`.
    Rule("/proc/sys/net/ipv4/ip_forward", interfaces),
    Rule("/proc/sys/net/ipv4/conf/all/forwarding", interfaces),
    Rule("/proc/sys/net/ipv6/conf/all/", interfaces),
    // net/ipv6/addrconf.c, `dev_disable_change()`.
    Rule(
      "/proc/sys/net/ipv6/conf/", ending: "/disable_ipv6",
      "the interface loses its addresses, which do not come back by themselves"),
    // kernel/events/core.c, `perf_duration_warn()`; kernel/hung_task.c, `check_hung_task()`.
    Rule("/proc/sys/kernel/perf_event_max_sample_rate", itself),
    Rule("/proc/sys/kernel/perf_cpu_time_max_percent", "it sets perf_event_max_sample_rate, too"),
    Rule("/proc/sys/kernel/hung_task_warnings", itself),
    Rule(
      "/sys/kernel/mm/ksm/run", value: "2",
      "the kernel would copy every shared page before it answers, and may run out of memory over "
        + "it; 0 stops the merging of more"),
    Rule(
      "/sys/kernel/mm/ksm/merge_across_nodes",
      "the kernel takes it only while no page is shared (EBUSY), so it could not be given back; set "
        + "it at boot"),
    Rule(
      "/sys/kernel/mm/ksm/max_page_sharing",
      "the kernel takes it only while no page is shared (EBUSY), so it could not be given back; set "
        + "it at boot"),
    // mm/ksm.c, `advisor_mode_store()`, `pages_to_scan_store()`.
    Rule(
      "/sys/kernel/mm/ksm/advisor_mode",
      "with it the kernel sets pages_to_scan to a value of its own"),
    // mm/damon/sysfs.c: a number of them makes the folders anew, and `state` takes commands.
    Rule("/sys/kernel/mm/damon/", request),
    Rule(
      "/sys/module/kvm/parameters/nx_huge_pages",
      "a write throws away the page tables of every VM that runs"),
    Rule("/sys/module/zfs/parameters/zfs_arc_m", arc),
    Rule(
      "/sys/devices/system/cpu/", ending: "/online",
      "interrupts and tasks that lose their CPU do not come back to it by themselves"),
    Rule("/sys/devices/system/cpu/", ending: "/hotplug/target", "it takes the CPU offline"),
    Rule("/sys/devices/system/cpu/", ending: "/hotplug/fail", request),
    // kernel/cpu.c, `__store_smt_control()`: `off` takes CPUs offline, and `forceoff` stays.
    Rule(
      "/sys/devices/system/cpu/smt/control",
      "it takes CPUs offline, and interrupts and tasks do not come back to them by themselves"),
    Rule("/sys/devices/system/cpu/probe", request),
    Rule("/sys/devices/system/cpu/release", request),
    Rule("/sys/devices/system/cpu/", ending: "/uevent", request),
    // arch/x86/kernel/cpu/cacheinfo.c, `store_cache_disable()`.
    Rule("/sys/devices/system/cpu/", ending: "/cache_disable_0", oneWay),
    Rule("/sys/devices/system/cpu/", ending: "/cache_disable_1", oneWay),
    Rule(
      "/sys/devices/system/cpu/", ending: "_pstate/status", "it rebuilds every cpufreq policy"),
    Rule("/sys/devices/system/cpu/", ending: "/scaling_governor", hasKey),
    Rule("/sys/devices/system/cpu/", ending: "/energy_performance_preference", hasKey),
    Rule("/sys/devices/system/cpu/", ending: "/boost", hasKey),
    Rule("/sys/devices/system/cpu/", ending: "/no_turbo", hasKey),
    Rule("/sys/devices/system/cpu/microcode/reload", request),
  ]

  /// Why a value is not written, though policy names it.
  static func objection(to value: String, at path: String, _ kernel: KernelVersion) -> String? {
    rules.first { $0.applies(to: value, at: path, kernel) }?.reason
  }

  /// The words of arch/x86/kernel/cpu/intel_epb.c, `energy_perf_strings`: it shows their numbers.
  private static let biases = [
    "performance": "0", "balance-performance": "4", "normal": "6", "balance-power": "8",
    "power": "15",
  ]

  /// A value as a number, where the kernel shows it as one.
  static func number(of value: String, at path: String) -> String {
    if path.ends(with: "/power/energy_perf_bias") { return biases[value] ?? value }
    // mm/vmscan.c, `enabled_store()`; which bits `y` stands for is the processor's.
    if path == "/sys/kernel/mm/lru_gen/enabled", value == "n" || value == "N" { return "0" }
    return value
  }

  /// Work that the kernel does again and again: of two domains, the one that wants it to rest the
  /// longest is right for both.
  private static let pauses = [
    "/proc/sys/vm/stat_interval", "/sys/kernel/mm/ksm/sleep_millisecs",
    "/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs",
    "/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs",
  ]
  private static let portions = [
    "/sys/kernel/mm/ksm/pages_to_scan",
    "/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan",
  ]

  static func claim(of value: String, at path: String) -> Claim {
    if let number = Int(value), pauses.contains(path) { return .atLeast(number) }
    if let number = Int(value), portions.contains(path) { return .atMost(number) }
    return .exactly(.text(value))
  }
}
