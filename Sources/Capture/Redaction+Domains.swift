internal import Bytes
internal import Formats
internal import HostModel

/// What is left of the configurations of domains.
extension Redaction {
  /// A domain's XML written anew from what Berth reads of it; nil for one that cannot be read.
  @Sendable static func domain(_ text: String, _ path: String) -> String? {
    do throws(DomainXMLError) {
      return try DomainXML.redacted(Array(text.utf8))
    } catch {
      return nil
    }
  }

  /// The policy without comments and without what commands are called with.
  @Sendable static func policy(_ text: String, _ path: String) -> String? {
    PolicyRedaction.text(of: text)
  }

  /// The lines of a configuration of Proxmox that Berth reads; nil for one that cannot be read.
  @Sendable static func virtualMachine(_ text: String, _ path: String) -> String? {
    let lines: ProxmoxLines
    do throws(ProxmoxProblem) {
      lines = try ProxmoxLines(Array(text.utf8), named: path)
    } catch {
      return nil
    }
    let kept = lines.settings.compactMap { line in
      value(of: line).map { "\(line.key): \($0)\n" }
    }
    return kept.isEmpty ? nil : kept.joined()
  }

  /// Of Proxmox's storages, the one that Berth's snippet is on.
  @Sendable static func localStorage(_ text: String, _ path: String) -> String? {
    LocalStorage(Array(text.utf8)).text
  }

  private static func value(of line: ProxmoxLines.Setting) -> String? {
    let family = Substring(Substring(line.key).utf8.prefix { !$0.isDigit })
    switch family {
    case "name", "cores", "sockets", "smp", "vcpus", "affinity", "memory", "balloon", "numa",
      "hugepages", "keephugepages", "hotplug", "scsihw", "lock", "template", "machine", "ostype",
      "cpu", "hookscript":
      return line.value
    case "scsi", "virtio":
      let threads = parts(of: line.value, named: ["iothread"])
      return (["none"] + threads).joined(separator: ",")
    case "hostpci":
      let parts = parts(of: line.value, named: ["host", "mapping", "mdev", "driver", "pcie", ""])
      return parts.isEmpty ? nil : parts.joined(separator: ",")
    case "vmstate", "virtiofs": return "none"
    case "args": return processors(in: line.value)
    default: return nil
    }
  }

  /// The parts of a list whose keys are named; the empty one is that of a part without a key.
  private static func parts(of value: String, named keys: [String]) -> [String] {
    value.fields(at: ",").map(String.init).filter { part in
      keys.contains(part.cut(at: "=").map { String($0.head) } ?? "")
    }
  }

  /// What arguments of QEMU's say of its CPUs and of functions that it is handed; nil where they say
  /// nothing.
  private static func processors(in arguments: String) -> String? {
    let words = QEMUArguments(arguments)
    var kept = words.values(of: "cpu").suffix(1).flatMap { ["-cpu", $0] }
    kept += words.values(of: "smp").flatMap { ["-smp", $0] }
    for case .function(let address) in words.devices {
      kept += ["-device", "vfio-pci,host=\(address)"]
    }
    return kept.isEmpty ? nil : ShellWords.line(of: kept)
  }

  /// The mappings of one node, under another name, without what people wrote beside them.
  static func mappings(_ text: String, of node: String, as other: String) -> String {
    var kept: [String] = []
    for line in text.fields(at: "\n", keepingEmpty: true) {
      guard line.begins(with: " ") || line.begins(with: "\t") else {
        if !line.begins(with: "#") { kept.append(String(line)) }
        continue
      }
      let words = line.fields(atAnyOf: " ", "\t")
      if words == ["mdev", "1"] { kept.append("\tmdev 1") }
      guard words.first == "map", words.count > 1 else { continue }
      let value = words.dropFirst().joined(separator: " ")
      let parts = parts(of: value, named: ["node", "path", "id", "iommugroup", "subsystem-id"])
      if parts.contains(where: { $0 == "node=\(node)" }) {
        kept.append(
          "\tmap "
            + parts.map { $0 == "node=\(node)" ? "node=\(other)" : $0 }
            .joined(separator: ","))
      }
    }
    return kept.map { $0 + "\n" }.joined()
  }
}
