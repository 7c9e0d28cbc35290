internal import Bytes
internal import HostModel

/// What is left of texts that say more of a host than anybody has to know.
///
/// Each keeps what is known to be harmless, and not what is not known to be harmful.
enum Redaction {
  private static func lines(_ text: String) -> [Substring] { text.fields(at: "\n") }

  private static func joined(_ lines: [some StringProtocol]) -> String? {
    lines.isEmpty ? nil : lines.map { $0 + "\n" }.joined()
  }

  private static let bootWords = [
    "isolcpus", "nohz", "nohz_full", "rcu_nocbs", "rcu_nocb_poll", "irqaffinity", "threadirqs",
    "nosmt", "maxcpus", "nr_cpus", "possible_cpus", "numa", "numa_balancing", "hugepages",
    "hugepagesz", "default_hugepagesz", "hugetlb_free_vmemmap", "transparent_hugepage",
    "mitigations",
    "preempt", "skew_tick", "tsc", "clocksource", "idle", "processor.max_cstate", "video", "pci",
    "pcie_aspm", "pcie_ports", "pcie_acs_override", "pcie_port_pm", "acpi_enforce_resources",
    "selinux", "apparmor", "lsm", "security", "lockdown", "systemd.unified_cgroup_hierarchy",
    "cgroup_disable", "cgroup_no_v1", "initcall_blacklist", "nomodeset", "efifb",
    "modprobe.blacklist", "module_blacklist", "nowatchdog", "nmi_watchdog",
    "workqueue.unbound_cpus", "split_lock_detect",
  ]
  private static let bootBeginnings = [
    "iommu", "intel_iommu", "amd_iommu", "vfio", "kvm", "intel_pstate", "amd_pstate", "intel_idle",
    "cpufreq", "cpuidle", "rcutree.", "rdt", "nvidia", "amdgpu", "nouveau", "i915", "xe.", "radeon",
    "snd_hda_intel",
  ]

  /// The parameters of the kernel's command line that decide on CPUs, memory and devices.
  @Sendable static func bootParameters(_ text: String, _ path: String) -> String? {
    let kept = text.fields(atAnyOf: " ", "\t", "\n").filter { word in
      let key = (word.cut(at: "=")?.head ?? word).replaced("-", by: "_")
      return bootWords.contains(key) || bootBeginnings.contains { key.begins(with: $0) }
    }
    return kept.joined(separator: " ") + "\n"
  }

  /// What the kernel says of the first CPU: the others are of the same make.
  @Sendable static func firstCPU(_ text: String, _ path: String) -> String? {
    let lines = text.fields(at: "\n", keepingEmpty: true).prefix { !$0.isEmpty }
    return joined(lines.filter { !$0.lowercasedASCII.begins(with: "serial") })
  }

  @Sendable static func profilesOfLibvirt(_ text: String, _ path: String) -> String? {
    joined(lines(text).filter { $0.has(text: "libvirt") || $0.has(text: "virt-aa") })
  }

  /// NVIDIA's number of a device file, without the GPU's UUID.
  @Sendable static func informationOfGPU(_ text: String, _ path: String) -> String? {
    joined(lines(text).filter { $0.begins(with: "Model:") || $0.begins(with: "Device Minor:") })
  }

  /// The heading, and what is a device.
  @Sendable static func swaps(_ text: String, _ path: String) -> String? {
    let lines = lines(text)
    return joined(Array(lines.prefix(1)) + lines.dropFirst().filter { $0.begins(with: "/dev/") })
  }

  /// The path of a disk by the kernel's name for it; one that udev has made may hold its serial number, and
  /// any other file may be somebody's.
  @Sendable static func disk(_ text: String, _ path: String) -> String? {
    text.begins(with: "/dev/") && !text.begins(with: "/dev/disk/") ? text : nil
  }

  /// The kind of a device of device-mapper's, without the UUID that follows.
  @Sendable static func kindOfMapping(_ text: String, _ path: String) -> String? {
    text.cut(at: "-").map { "\($0.head)-\n" }
  }

  /// What udev has found on a disk, without serial numbers, labels and UUIDs.
  @Sendable static func contentOfDisk(_ text: String, _ path: String) -> String? {
    joined(lines(text).filter { $0.begins(with: "E:ID_FS_TYPE=") })
  }

  /// Input devices without their serial numbers and addresses.
  @Sendable static func inputDevices(_ text: String, _ path: String) -> String? {
    let lines = text.fields(at: "\n", keepingEmpty: true)
    return joined(lines.dropLast().filter { !$0.begins(with: "U: ") && !$0.begins(with: "P: ") })
  }

  @Sendable static func settingsOfLibvirt(_ text: String, _ path: String) -> String? {
    let keys = [
      "hugetlbfs_mount", "security_driver", "security_default_confined", "cgroup_controllers",
      "namespaces", "clear_emulator_capabilities", "set_process_name", "sched_core",
    ]
    return joined(lines(text).filter { line in keys.contains { line.begins(with: "\($0) ") } })
  }

  /// Which devices are mounted where, and which file systems of the kernel's own.
  ///
  /// The names of folders in which people have what is theirs are left out, as are options.
  @Sendable static func mounts(_ text: String, _ path: String) -> String? {
    joined(lines(text).compactMap(mount))
  }

  private static func mount(_ line: Substring) -> String? {
    let fields = line.fields(at: " ")
    guard fields.count > 6, let hyphen = fields[6...].firstIndex(where: { $0 == "-" }),
      fields.count > hyphen + 2
    else { return nil }
    let (kind, source) = (fields[hyphen + 1], fields[hyphen + 2])
    let isKernels = ["cgroup", "cgroup2", "hugetlbfs"].contains(kind)
    guard isKernels || source.begins(with: "/dev/") else { return nil }
    let options = (isKernels ? fields.last ?? "" : "").fields(at: ",")
      .filter { $0.begins(with: "pagesize=") || $0 == "rw" || $0.begins(with: "nsdelegate") }
    return [
      fields[0], fields[1], fields[2], "/", Substring(place(fields[4])), "rw", "-", kind,
      isKernels ? kind : source, options.isEmpty ? "rw" : options.joined(separator: ",")[...],
    ].joined(separator: " ")
  }

  /// The same of the older table of mounts (`/proc/mounts`).
  static func mountTable(_ text: String) -> String? {
    joined(
      lines(text).compactMap { line -> String? in
        let fields = line.fields(at: " ")
        guard fields.count > 3 else { return nil }
        let (source, kind) = (fields[0], fields[2])
        let isKernels = ["cgroup", "cgroup2", "hugetlbfs"].contains(kind)
        guard isKernels || source.begins(with: "/dev/") else { return nil }
        let options = fields[3].fields(at: ",")
          .filter { isKernels && ($0.begins(with: "pagesize=") || $0 == "nsdelegate") }
        return [
          isKernels ? kind : source, Substring(place(fields[1])), kind,
          (["rw"] + options).joined(separator: ",")[...], "0", "0",
        ].joined(separator: " ")
      })
  }

  private static func place(_ point: Substring) -> String {
    for folder in ["/home", "/media", "/mnt", "/run/media", "/root", "/srv"]
    where point.begins(with: "\(folder)/") {
      return "\(folder)/…"
    }
    return String(point)
  }

  /// The interfaces that have a route, and whether it is the default one.
  @Sendable static func routes(_ text: String, _ path: String) -> String? {
    let lines = lines(text)
    var kept = lines.prefix(1).map(String.init)
    for line in lines.dropFirst() {
      let fields = line.fields(atAnyOf: "\t", " ")
      guard fields.count >= 8 else { continue }
      let isDefault = fields[1] == "00000000" && fields[7] == "00000000"
      let (target, mask) = isDefault ? ("00000000", "00000000") : ("0000000A", "000000FF")
      let route = "\(fields[0])\t\(target)\t00000000\t\(fields[3])\t0\t0\t0\t\(mask)\t0\t0\t0"
      if !kept.contains(route) { kept.append(route) }
    }
    return joined(kept)
  }

  /// The interfaces that have the default route.
  @Sendable static func routesOfIPv6(_ text: String, _ path: String) -> String? {
    var kept: [String] = []
    let nowhere = String(repeating: "0", count: 32)
    for line in lines(text) {
      let fields = line.fields(at: " ")
      guard fields.count == 10, fields[1] == "00",
        fields[0].utf8.allSatisfy({ $0 == UInt8(ascii: "0") })
      else {
        continue
      }
      let route =
        "\(nowhere) 00 \(nowhere) 00 \(nowhere) 00000000 00000000 00000000 \(fields[8]) \(fields[9])"
      if !kept.contains(route) { kept.append(route) }
    }
    return joined(kept) ?? ""
  }

  /// The interfaces that have an address, and of which scope.
  @Sendable static func addressesOfIPv6(_ text: String, _ path: String) -> String? {
    var kept: [String] = []
    for line in lines(text) {
      let fields = line.fields(at: " ")
      guard fields.count == 6 else { continue }
      let address = ([Substring(String(repeating: "0", count: 32))] + fields.dropFirst())
        .joined(separator: " ")
      if !kept.contains(address) { kept.append(address) }
    }
    return joined(kept) ?? ""
  }
}
