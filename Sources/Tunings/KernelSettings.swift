internal import Bytes
internal import HostModel

/// Gives sysctls and other attributes of the kernel the values that policy names.
///
/// They are the whole host's, so two domains want the same of one or the second does without, but
/// where a greater or a smaller number serves both. What could not be given back exactly, or would
/// hurt what runs, is explained instead of done: see `KernelSettingRules`.
struct KernelSettings: Tuning {
  static let name = "kernel-settings"

  private static let watchdog = "/proc/sys/kernel/watchdog_cpumask"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.phase == .prepare else { return needs }
    needs.attributes = request.policy.settings.map(\.path)
    if !request.policy.cpu.hasWatchdog {
      needs.attributes.append(Self.watchdog)
      needs.cpus = true
    }
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare else { return plan }
    for wish in request.policy.settings {
      do throws(LeftAlone) {
        plan.changes.append(try change(for: wish, request, host))
      } catch {
        plan.warnings.append("\(wish.path) is left alone: \(error.reason)")
      }
    }
    if !request.policy.cpu.hasWatchdog { quiet(request, host, &plan) }
    return plan
  }

  private func change(
    for wish: Policy.Attribute, _ request: Request, _ host: HostFacts
  ) throws(LeftAlone) -> Change {
    let facts = host.attributes.first { $0.asked == wish.path }
    guard let facts, let path = facts.path else { throw LeftAlone("this kernel has no such file") }
    guard Policy.Attribute.isAllowed(path) else {
      throw LeftAlone(
        "it leads to \(path), and only what lies below \(Policy.Attribute.roots) is set")
    }
    if let reason = KernelSettingRules.objection(to: wish.value, at: path, host.kernel) {
      throw LeftAlone(reason)
    }
    guard let text = facts.text else { throw LeftAlone("it cannot be read, so not given back") }
    let (value, format) = try written(wish.value, in: text)
    // By the path without links, so that two names of one place are one setting.
    return Change(
      .attribute(path: path, format), KernelSettingRules.claim(of: value, at: path),
      because: "policy wants it so while \(request.domain.name) is in")
  }

  /// A value as it reads back once it is written, and how the file is to be understood.
  private func written(
    _ value: String, in text: String
  ) throws(LeftAlone) -> (String, AttributeFormat) {
    let words = text.fields(at: " ")
    if words.count(where: { $0.begins(with: "[") && $0.ends(with: "]") }) == 1 {
      let offered = words.map {
        $0.begins(with: "[") ? String($0.droppingFirst().droppingLast()) : String($0)
      }
      guard offered.contains(value) else {
        throw LeftAlone("it offers no “\(value)”, only \(offered.joined(separator: ", "))")
      }
      return (value, .selection)
    }
    if text == "Y" || text == "N" {
      // A switch among the parameters of modules takes many words and shows two.
      guard let isOn = ["1": true, "0": false, "Y": true, "N": false][value] else {
        throw LeftAlone("it holds Y or N, not “\(value)”")
      }
      return (isOn ? "Y" : "N", .text)
    }
    // Several numbers stand in one file with tabs between them.
    guard text.has("\t") else { return (value, .text) }
    return (value.fields(atAnyOf: " ", "\t", "\n", "\r").joined(separator: "\t"), .text)
  }

  /// Takes the lockup detectors off the domain's CPUs: their timers interrupt each vCPU every few
  /// seconds, and a vCPU that never yields is no lockup.
  private func quiet(_ request: Request, _ host: HostFacts, _ plan: inout Plan) {
    let cpus = request.placement.cpus
    guard !cpus.isEmpty else {
      plan.warnings.append(
        "no vCPU of \(request.domain.name) is pinned, so there is no CPU to take the watchdog off")
      return
    }
    guard host.attributes.contains(where: { $0.asked == Self.watchdog && $0.path != nil }) else {
      plan.warnings.append("this kernel has no watchdog that could be taken off CPUs")
      return
    }
    plan.changes.append(
      Change(
        .attribute(path: Self.watchdog, .cpuList), .withoutCPUs(cpus, all: host.possibleCPUs),
        because: "the watchdog's timers would interrupt the vCPUs of \(request.domain.name)"))
  }
}

/// Why an attribute does not get the value that policy names.
private struct LeftAlone: Error {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}

/// What is known of single attributes.
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
    Rule("/proc/sys/kernel/unprivileged_bpf_disabled", oneWay),
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
    Rule(
      "/sys/module/kvm/parameters/nx_huge_pages",
      "a write throws away the page tables of every VM that runs"),
    Rule("/sys/module/zfs/parameters/zfs_arc_m", arc),
    Rule(
      "/sys/devices/system/cpu/", ending: "/online",
      "interrupts and tasks that lose their CPU do not come back to it by themselves"),
    Rule("/sys/devices/system/cpu/", ending: "/hotplug/target", "it takes the CPU offline"),
    Rule(
      "/sys/devices/system/cpu/", ending: "_pstate/status", "it builds every cpufreq policy anew"),
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
