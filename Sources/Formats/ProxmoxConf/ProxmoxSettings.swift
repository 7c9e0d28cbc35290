internal import Bytes
internal import HostModel

/// What the lines of a configuration set, of what concerns the host.
struct ProxmoxSettings {
  var name: String?
  var cores = 1
  var sockets: Int?
  /// The word for `sockets` in configurations of Proxmox 1.
  var smp: Int?
  var vcpus: Int?
  var affinity: CPUList?
  var memoryMiB = 512
  var balloonMiB: Int?
  var hasNUMA = false
  var nodes: [Int: NUMANode] = [:]
  var hugepages: HugepageChoice?
  var keepsHugepages = false
  var plugsMemory = false
  /// The features that can be plugged.
  var hotplug: [String] = ["network", "disk", "usb"]
  var machine: String?
  var hasVirtioFS = false
  var devices: [Int: ProxmoxDevice] = [:]
  var scsiController: String?
  /// Whether each disk asks for an iothread, by its number.
  var scsiDisks: [Int: Bool] = [:]
  var virtioDisks: [Int: Bool] = [:]
  var arguments: String?
  var lock: String?
  var isTemplate = false
  /// The line that each key was set in.
  var lines: [String: Int] = [:]

  /// One `numaN`.
  struct NUMANode {
    var text: String
    /// 0 where nothing is said, which Proxmox does not start with.
    var memoryMiB: Double
    var memoryKiB: Int { Int(memoryMiB * 1024) }
    var hostNodes: CPUList?
    var mode: MemoryMode?
  }

  /// Proxmox's limit of memory is 4 TiB; far above it, sums must still not trap.
  static let memoryLimit = 1 << 32

  /// Takes in one line; keys that do not concern the host are left out.
  mutating func set(_ key: String, to value: String) throws(ProxmoxValueError) {
    switch key {
    case "name": name = try Self.hostName(value)
    case "cores": cores = max(1, try Self.count(value))
    case "sockets": sockets = try Self.count(value)
    case "smp": smp = try Self.count(value)
    case "vcpus": vcpus = try Self.count(value)
    case "affinity": affinity = try Self.cpus(value)
    case "memory": memoryMiB = try Self.memory(value)
    case "balloon": balloonMiB = try ProxmoxValue.number(value, upTo: Self.memoryLimit)
    case "numa": hasNUMA = try ProxmoxValue.flag(value)
    case "hugepages": hugepages = try Self.hugepages(ProxmoxValue.text(value))
    case "keephugepages": keepsHugepages = try ProxmoxValue.flag(value)
    case "hotplug": setHotplug(value)
    case "machine":
      machine = try PropertyString(ProxmoxValue.text(value), default: "type")["type"]
    case "scsihw": scsiController = ProxmoxValue.text(value)
    case "args": arguments = value
    case "lock": lock = ProxmoxValue.text(value)
    case "template": isTemplate = try ProxmoxValue.flag(value)
    default: try setNumbered(key, to: value)
    }
  }

  private mutating func setNumbered(_ key: String, to value: String) throws(ProxmoxValueError) {
    guard let (family, number) = Self.parts(of: key) else { return }
    switch family {
    case "numa": nodes[number] = try Self.node(value)
    case "hostpci": devices[number] = try Self.device(number, value)
    case "scsi": scsiDisks[number] = try Self.hasIOThread(value)
    case "virtio": virtioDisks[number] = try Self.hasIOThread(value)
    case "virtiofs": hasVirtioFS = true
    default: return
    }
  }

  /// `1` stands for the default, `0` for nothing (`parse_hotplug_features()` in src/PVE/QemuServer.pm).
  private mutating func setHotplug(_ value: String) {
    if value == "1" {
      (hotplug, plugsMemory) = (["network", "disk", "usb"], false)
      return
    }
    hotplug = value == "0" ? [] : value.fields(atAnyOf: ",", ";", " ").map(String.init)
    plugsMemory = hotplug.contains { $0.isSame(as: "memory") }
  }
}

extension ProxmoxSettings {
  /// How many keys of each numbered family there are.
  private static let families = [
    "numa": 8, "hostpci": 16, "scsi": 31, "virtio": 16, "ide": 4, "sata": 6, "net": 32,
    "serial": 4, "parallel": 3, "usb": 14, "unused": 256, "ipconfig": 32, "efidisk": 1,
    "tpmstate": 1, "audio": 1, "rng": 1, "virtiofs": 10,
  ]

  private static let words: Set<String> = [
    "name", "cores", "sockets", "smp", "vcpus", "affinity", "memory", "balloon", "numa",
    "hugepages", "keephugepages", "hotplug", "scsihw", "args", "lock", "template", "acpi", "agent",
    "arch", "bios", "boot", "bootdisk", "cdrom", "cpu", "cpulimit", "cpuunits", "hookscript", "kvm",
    "machine", "meta", "onboot", "ostype", "parent", "protection", "smbios", "startup", "tablet",
    "tags", "vga", "vmgenid", "vmstate", "watchdog",
  ]

  /// Whether a key is one of Proxmox's, by which its configurations are told from other files.
  static func isKey(_ key: String) -> Bool {
    words.contains(key) || key == "smbios1" || parts(of: key) != nil
  }

  /// Family and number of a key such as `scsi0`; nil for a key of no numbered family.
  private static func parts(of key: String) -> (String, Int)? {
    let family = String(Substring(Substring(key).utf8.prefix { !$0.isDigit }))
    guard let limit = families[family], let number = key.number(after: family), number < limit,
      key == "\(family)\(number)"
    else { return nil }
    return (family, number)
  }
}

extension ProxmoxSettings {
  private static func count(_ value: String) throws(ProxmoxValueError) -> Int {
    // What Berth keeps for each vCPU must not come to gigabytes.
    try ProxmoxValue.number(value, upTo: CPUList.capacity)
  }

  /// A name of the domain name system: Proxmox takes no other.
  private static func hostName(_ value: String) throws(ProxmoxValueError) -> String {
    let labels = value.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let isName = labels.allSatisfy { label in
      label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-") && !label.isEmpty
        && label.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") }
    }
    if !isName { throw ProxmoxValueError("a DNS name") }
    return value
  }

  private static func cpus(_ value: String) throws(ProxmoxValueError) -> CPUList {
    do throws(CPUListError) {
      let list = try CPUList(parsing: value)
      if !list.isEmpty { return list }
    } catch {}
    throw ProxmoxValueError("a list of CPUs such as 0,5,8-11")
  }

  private static func memory(_ value: String) throws(ProxmoxValueError) -> Int {
    let parts = try PropertyString(value, default: "current")
    let size = try ProxmoxValue.number(parts["current"] ?? "512", upTo: memoryLimit)
    if size < 16 { throw ProxmoxValueError("16 MiB or more") }
    return size
  }

  private static func hugepages(_ value: String) throws(ProxmoxValueError) -> HugepageChoice {
    switch value {
    case "any": return .any
    case "2": return .size(kiB: 2048)
    case "1024": return .size(kiB: 1 << 20)
    default: throw ProxmoxValueError("any, 2 or 1024")
    }
  }

  private static func node(_ value: String) throws(ProxmoxValueError) -> NUMANode {
    let parts = try PropertyString(value)
    guard let cpus = parts["cpus"] else { throw ProxmoxValueError("a node with cpus= and memory=") }
    _ = try numbers(cpus)
    let memory = parts["memory"] ?? "0"
    guard let size = Double(memory), memory.utf8.allSatisfy({ "0123456789.".utf8.contains($0) }),
      (0...Double(memoryLimit)).contains(size)
    else { throw ProxmoxValueError("a node with an amount of memory in MiB") }
    var node = NUMANode(text: value, memoryMiB: size)
    if let nodes = parts["hostnodes"] { node.hostNodes = try numbers(nodes) }
    if let policy = parts["policy"] {
      guard let mode = MemoryMode(rawValue: policy),
        [.preferred, .bind, .interleave].contains(mode)
      else { throw ProxmoxValueError("a node with the policy preferred, bind or interleave") }
      node.mode = mode
    }
    return node
  }

  /// A set of numbers that are parted by `;`, as commas part the keys.
  private static func numbers(_ value: String) throws(ProxmoxValueError) -> CPUList {
    try cpus(value.fields(at: ";").joined(separator: ","))
  }

  private static func device(
    _ number: Int, _ value: String
  ) throws(ProxmoxValueError) -> ProxmoxDevice {
    let parts = try PropertyString(value, default: "host")
    let source: ProxmoxDevice.Source
    switch (parts["host"], parts["mapping"]) {
    case (let host?, nil): source = .host(try selections(host))
    case (nil, let mapping?): source = .mapping(mapping)
    default: throw ProxmoxValueError("a device with either host= or mapping=")
    }
    var device = ProxmoxDevice(number: number, source: source, mediatedType: parts["mdev"])
    device.isExpress = try parts.flag("pcie") ?? false
    switch parts["driver"] {
    case nil, "vfio": break
    case "keep": device.keepsDriver = true
    default: throw ProxmoxValueError("a device with the driver vfio or keep")
    }
    return device
  }

  /// As many functions as a bus has.
  private static let selectionsMax = 256

  /// The addresses of a list that is parted by `;`.
  static func selections(_ list: String) throws(ProxmoxValueError) -> [PCISelection] {
    var selections: [PCISelection] = []
    for text in list.fields(at: ";", maxSplits: selectionsMax, keepingEmpty: true) {
      guard selections.count < selectionsMax else {
        throw ProxmoxValueError("a list of at most \(selectionsMax) PCI addresses")
      }
      guard let selection = PCISelection(text) else {
        throw ProxmoxValueError("a list of PCI addresses such as 0000:01:00.0;0000:01:00.1")
      }
      selections.append(selection)
    }
    return selections
  }

  private static func hasIOThread(_ value: String) throws(ProxmoxValueError) -> Bool {
    let parts = try PropertyString(value, default: "file", aliases: ["volume": "file"])
    if parts["file"] == nil { throw ProxmoxValueError("a disk with a volume") }
    return try parts.flag("iothread") ?? false
  }
}
