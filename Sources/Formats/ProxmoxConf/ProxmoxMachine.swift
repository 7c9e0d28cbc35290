internal import Bytes
package import HostModel

/// What a configuration of Proxmox says beside what a plan is made from.
package struct ProxmoxMachine: Sendable {
  package var machine = GuestMachine()
  /// `hookscript`: the volume, such as `local:snippets/berth`.
  package var hookscript: String?
  /// Whether it is started with the node (`onboot`).
  package var startsWithHost = false

  /// Reads a configuration; what means nothing is passed over, as the domain's reader tells of it.
  package init(
    _ bytes: [UInt8], named file: String, atNextStart: Bool = false
  ) throws(ProxmoxProblem) {
    var values: [String: String] = [:]
    var order: [String] = []
    var lines = try ProxmoxLines(bytes, named: file)
    if atNextStart { lines.applyPending() }
    for line in lines.settings {
      if values.updateValue(line.value, forKey: line.key) == nil { order.append(line.key) }
    }
    hookscript = values["hookscript"]
    startsWithHost = values["onboot"] == "1"
    machine.isWindows = values["ostype"]?.begins(with: "w") ?? false
    machine.type = Self.type(values["machine"])
    let arguments = QEMUArguments(values["args"])
    machine.topology = Self.topology(values, arguments)
    machine.cpuFeatures = Self.features(values["cpu"], arguments)
    for key in order {
      guard let value = values[key], let parts = try? PropertyString(value, default: "host") else {
        continue
      }
      if let disk = Self.disk(key, parts, values["scsihw"]) { machine.disks.append(disk) }
      if key.number(after: "hostpci") != nil, let host = parts["host"] {
        place(host, isExpress: (try? parts.flag("pcie")) == true)
      }
    }
  }

  /// Without a word of it, Proxmox takes QEMU's oldest chipset.
  private static func type(_ value: String?) -> String {
    guard let value, let parts = try? PropertyString(value, default: "type") else { return "pc" }
    return parts["type"] ?? "pc"
  }

  /// Proxmox gives each core one thread; `-smp` in `args` comes after its own and counts.
  private static func topology(
    _ values: [String: String], _ arguments: QEMUArguments
  ) -> GuestTopology {
    func number(_ key: String) -> Int { values[key].flatMap { Int($0) } ?? 1 }
    var processors = QEMUProcessors(sockets: number("sockets"), cores: number("cores"), online: 1)
    processors.merge(arguments)
    var topology = GuestTopology(
      sockets: processors["sockets"], cores: processors["cores"], threads: processors.threads)
    topology.dies = processors["dies"]
    return topology
  }

  private static func features(_ cpu: String?, _ arguments: QEMUArguments) -> [String] {
    var words = (cpu ?? "").fields(atAnyOf: ",", ";", "=").map(String.init)
    // The whole of the last one counts, instead of Proxmox's own.
    if let last = arguments.values(of: "cpu").last {
      words = last.fields(at: ",").map(String.init)
    }
    return words.compactMap { word in
      (word.rest(after: "+") ?? word.rest(before: "=on")).map(String.init)
    }
  }

  private static func disk(
    _ key: String, _ parts: PropertyString, _ controller: String?
  ) -> GuestDisk? {
    guard parts["media"] != "cdrom" else { return nil }
    let asks = (try? parts.flag("iothread")) == true
    if key.number(after: "virtio") != nil {
      return GuestDisk(name: key, canHaveIOThread: true, hasIOThread: asks)
    }
    guard key.number(after: "scsi") != nil else { return nil }
    return GuestDisk(
      name: key, canHaveIOThread: true, hasIOThread: asks && controller == "virtio-scsi-single")
  }

  /// A card of whole slots is named by the slot: its first function stands for it.
  private mutating func place(_ host: String, isExpress: Bool) {
    guard !isExpress else { return }
    for text in host.fields(at: ";") {
      guard let selection = PCISelection(text) else { continue }
      for number in selection.function.map({ [$0] }) ?? Array(0...7) {
        let address = PCIAddress(
          domain: selection.domain, bus: selection.bus, slot: selection.slot, function: number)
        if let address { machine.places[address] = .conventional }
      }
    }
  }
}
