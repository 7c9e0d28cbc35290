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
  package init(_ bytes: [UInt8], named file: String) throws(ProxmoxProblem) {
    var values: [String: String] = [:]
    var order: [String] = []
    for line in try ProxmoxLines(bytes, named: file).settings {
      if values.updateValue(line.value, forKey: line.key) == nil { order.append(line.key) }
    }
    hookscript = values["hookscript"]
    startsWithHost = values["onboot"] == "1"
    machine.isWindows = values["ostype"]?.begins(with: "w") ?? false
    machine.type = Self.type(values["machine"])
    let arguments = (values["args"] ?? "").fields(at: " ")
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
    _ values: [String: String], _ arguments: [Substring]
  ) -> GuestTopology {
    var topology = GuestTopology(
      sockets: values["sockets"].flatMap { Int($0) } ?? 1,
      cores: values["cores"].flatMap { Int($0) } ?? 1, threads: 1)
    guard let option = arguments.lastIndex(of: "-smp"), option + 1 < arguments.count else {
      return topology
    }
    for part in arguments[option + 1].fields(at: ",") {
      let pair = part.fields(at: "=", maxSplits: 1)
      guard pair.count == 2, let number = Int(pair[1]), number > 0 else { continue }
      switch pair[0] {
      case "sockets": topology.sockets = number
      case "dies": topology.dies = number
      case "cores": topology.cores = number
      case "threads": topology.threads = number
      default: continue
      }
    }
    return topology
  }

  private static func features(_ cpu: String?, _ arguments: [Substring]) -> [String] {
    var words = (cpu ?? "").fields(atAnyOf: ",", ";", "=").map(String.init)
    if let option = arguments.lastIndex(of: "-cpu"), option + 1 < arguments.count {
      words += arguments[option + 1].fields(at: ",").map(String.init)
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
