internal import Bytes
internal import Formats
internal import HostModel

extension DomainXML {
  /// The XML of a domain with nothing but what Berth reads: no path of an image, no MAC address, no
  /// serial number, no password, no metadata of others.
  static func redacted(_ bytes: [UInt8]) throws(DomainXMLError) -> String {
    // What is no domain's is found here.
    _ = try domain(from: bytes)
    let root = try element(from: bytes) { isRead($0, $1) || isOfMachine($0, $1) }
    var lines: [String] = []
    write(root, below: [], to: &lines)
    return lines.map { $0 + "\n" }.joined()
  }

  /// The prefixes of the namespaces that somebody reads.
  private static let prefixes = [namespace: "berth", osinfo: "libosinfo"]

  private static func write(_ element: XMLElement, below path: [String], to lines: inout [String]) {
    let prefix = prefixes[element.namespace]
    if element.namespace == qemu { return write(element, argumentsTo: &lines) }
    guard prefix != nil || element.namespace.isEmpty, isKept(element, below: path) else { return }
    let path = path + [element.name]
    let indent = String(repeating: "  ", count: path.count - 1)
    let name = prefix.map { "\($0):\(element.name)" } ?? element.name
    var start = "\(indent)<\(name)"
    if let prefix { start += " xmlns:\(prefix)=\"\(element.namespace)\"" }
    for (key, value) in element.attributes where isKept(key, of: element, path) {
      start += " \(key)=\"\(escaped(value))\""
    }
    var children: [String] = []
    for child in element.children { write(child, below: path, to: &children) }
    if children.isEmpty {
      // What stands between elements says nothing.
      let text = element.children.isEmpty ? element.text.trimmed : ""
      lines.append(text.isEmpty ? "\(start)/>" : "\(start)>\(escaped(text))</\(name)>")
    } else {
      lines += ["\(start)>"] + children + ["\(indent)</\(name)>"]
    }
  }

  /// Writes what arguments of QEMU's own hand over, and no other of them: some are secrets.
  private static func write(_ commandLine: XMLElement, argumentsTo lines: inout [String]) {
    let arguments = arguments(in: commandLine).redacted
    if arguments.isEmpty { return }
    lines.append("  <qemu:commandline xmlns:qemu=\"\(qemu)\">")
    lines += arguments.map { "    <qemu:arg value=\"\($0)\"/>" }
    lines.append("  </qemu:commandline>")
  }

  /// The names below `<devices>` that say which function of the host, how much memory, or which
  /// thread and which place in the guest.
  private static let deviceParts = [
    "address", "actual", "backingStore", "driver", "iothread", "iothreads", "nodemask", "node",
    "pagesize", "requested", "size", "source", "target",
  ]

  private static func isKept(_ element: XMLElement, below path: [String]) -> Bool {
    // What a guest is booted from may be a path, and its command line a secret.
    if path.last == "os" { return element.name == "type" }
    // Of `<metadata>` only Berth's own, and which system runs there.
    if path.last == "metadata" { return prefixes[element.namespace] != nil }
    guard let devices = path.firstIndex(of: "devices") else { return true }
    if path.count - devices == 1 { return true }
    return deviceParts.contains(element.name)
  }

  private static func isKept(_ key: String, of element: XMLElement, _ path: [String]) -> Bool {
    if ["domain", "domstatus"].contains(element.name) { return false }
    guard path.contains(where: { $0 == "devices" }) else { return true }
    switch element.name {
    case "address":
      return ["type", "domain", "controller", "bus", "slot", "function", "uuid"].contains(key)
    case "memory": return key == "model"
    case "controller": return ["type", "index", "model"].contains(key)
    case "driver": return ["iothread", "model"].contains(key)
    case "iothread": return key == "id"
    case "target": return ["dev", "bus"].contains(key)
    case "source": return key == "managed"
    default: return ["type", "mode", "managed", "unit", "device"].contains(key)
    }
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result += "&#\(scalar.value);"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
