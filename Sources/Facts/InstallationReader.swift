internal import Bytes
internal import Formats
package import HostModel
package import Port

/// Reads how a host is set up for domains: what no plan is made from, and a look over the host is.
package struct InstallationReader {
  private let kernel: any KernelReader

  package init(kernel: any KernelReader) { self.kernel = kernel }

  package func facts() throws(HostError) -> InstallationFacts {
    var facts = InstallationFacts()
    facts.bootParameters = Self.parameters(try kernel.wordIfPresent(of: "/proc/cmdline") ?? "")
    facts.iommuGroups = try kernel.entriesIfPresent(of: "/sys/kernel/iommu_groups").count
    facts.hasLibvirt = kernel.exists("/etc/libvirt/qemu.conf") || kernel.exists("/run/libvirt/qemu")
    if kernel.exists("/run/libvirt/virtqemud-sock") { facts.libvirtDaemon = "virtqemud" }
    facts.hasProxmox = kernel.exists("/etc/pve/qemu-server")
    facts.hooks = try hooks()
    facts.missingRepair = missingRepair()
    facts.confinesByAppArmor = confinesByAppArmor()
    facts.enforcesSELinux = try kernel.wordIfPresent(of: "/sys/fs/selinux/enforce") == "1"
    facts.defaultHugepageKiB =
      MemoryInfo(try kernel.wordIfPresent(of: "/proc/meminfo") ?? "")["Hugepagesize"]
    facts.hugetlbfsKiB = try hugetlbfs(default: facts.defaultHugepageKiB)
    facts.swaps = try swaps()
    facts.ksm = try kernel.wordIfPresent(of: "/sys/kernel/mm/ksm/run")
    facts.numaBalancing = try kernel.wordIfPresent(of: "/proc/sys/kernel/numa_balancing")
    // A block's size follows from that of a page, which is 4 KiB on these alone.
    if try kernel.cpuVendor() != nil { facts.freeBlocks = try freeBlocks() }
    return facts
  }

  /// The parameters of a command line; a value in quotation marks may hold blanks.
  static func parameters(_ line: String) -> [BootParameter] {
    var words: [[UInt8]] = [[]]
    var isQuoted = false
    for byte in line.utf8 {
      switch byte {
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: " ") where !isQuoted: words.append([])
      default: words[words.count - 1].append(byte)
      }
    }
    return words.filter { !$0.isEmpty }.map { word in
      let parts = String(decoding: word, as: UTF8.self).fields(
        at: "=", maxSplits: 1, keepingEmpty: true)
      return BootParameter(
        name: String(parts[0]), value: parts.count > 1 ? String(parts[1]) : "")
    }
  }
}

extension InstallationReader {
  private static let folder: HostPath = "/etc/libvirt/hooks"

  /// `qemu`, then what is in `qemu.d` in the order of the names (src/util/virhook.c).
  package func hooks() throws(HostError) -> [HookFile] {
    let hook: HostPath = "\(Self.folder)/qemu"
    var paths = kernel.exists(hook) ? [hook] : []
    paths += try kernel.entriesIfPresent(of: "\(Self.folder)/qemu.d")
      .map { "\(Self.folder)/qemu.d/\($0)" }
    return paths.map(\.description).map { path in
      HookFile(
        path: path, target: kernel.place(of: path)?.description ?? path,
        objection: objection(toRunning: path))
    }
  }

  /// Why a hypervisor does not run a program; who else could have changed it is no matter to it.
  package func objection(toRunning path: String) -> String? {
    let objection = kernel.objection(toRunning: kernel.path(named: path))
    return ["is not there", "is not a program"].contains(objection) ? objection : nil
  }

  /// Only root may read the profiles: nobody else can tell.
  private func confinesByAppArmor() -> Bool {
    let profiles = (try? kernel.text(of: "/sys/kernel/security/apparmor/profiles")) ?? ""
    return profiles.fields(at: "\n").contains { line in
      let name = line.fields(at: " ").first?.fields(at: "/").last
      return line.ends(with: "(enforce)") && (name == "libvirtd" || name == "virtqemud")
    }
  }
}

extension InstallationReader {
  private static let unit = "berth-reconcile.service"
  private static let path = "berth-reconcile.path"
  private static let live = "berth-live"

  /// A unit is enabled by links to it below the targets that want it (systemctl(1), `enable`).
  private func missingRepair() -> MissingRepair? {
    let units: HostPath = "/usr/lib/systemd/system"
    let wanting: HostPath = "/etc/systemd/system"
    let files: [HostPath] = [
      "\(units)/\(Self.unit)", "\(units)/\(Self.path)", "\(units)/\(Self.live).service",
      "\(units)/\(Self.live).path", "/usr/lib/udev/rules.d/90-berth.rules",
    ]
    if let file = files.first(where: { !kernel.exists($0) }) { return .file(file.description) }
    if !kernel.exists("\(wanting)/suspend.target.wants/\(Self.unit)") {
      return .enabling(unit: Self.unit)
    }
    if !kernel.exists("\(wanting)/paths.target.wants/\(Self.path)") {
      return .enabling(unit: Self.path)
    }
    let live = Self.live + ".path"
    return kernel.exists("\(wanting)/multi-user.target.wants/\(live)") ? nil : .enabling(unit: live)
  }
}

extension InstallationReader {
  private func hugetlbfs(default defaultKiB: Int?) throws(HostError) -> [Int] {
    var sizes: [Int] = []
    let mounts = try kernel.wordIfPresent(of: "/proc/mounts") ?? ""
    for line in mounts.fields(at: "\n") {
      let fields = line.fields(at: " ")
      guard fields.count > 3, fields[2] == "hugetlbfs" else { continue }
      let option = fields[3].fields(at: ",").lazy.compactMap { $0.rest(after: "pagesize=") }.first
      let size = option.map { PageSize(parsing: $0)?.kiB } ?? defaultKiB
      if let size, !sizes.contains(size) { sizes.append(size) }
    }
    return sizes.sorted()
  }

  private func swaps() throws(HostError) -> [String] {
    let text = try kernel.wordIfPresent(of: "/proc/swaps") ?? ""
    return text.fields(at: "\n").dropFirst()
      .compactMap { $0.fields(atAnyOf: " ", "\t").first.map(String.init) }
  }

  /// Each line has the free blocks of one zone by their order: 2^n pages (proc(5), buddyinfo).
  private func freeBlocks() throws(HostError) -> [Int: Int] {
    var blocks: [Int: Int] = [:]
    let text = try kernel.wordIfPresent(of: "/proc/buddyinfo") ?? ""
    for line in text.fields(at: "\n") {
      let fields = line.fields(at: " ")
      guard fields.count > 4, fields[0] == "Node",
        let node = Quantity.node.number(fields[1].rest(before: ",") ?? "")
      else {
        continue
      }
      for (order, count) in fields.dropFirst(4).enumerated() where order >= 9 && order < 24 {
        blocks[node, default: 0] += (Quantity.pages.number(count) ?? 0) << (order - 9)
      }
    }
    return blocks
  }
}
