internal import Bytes

/// What a configuration of Proxmox's appends to QEMU's own arguments (`args`), where the last of an option
/// counts.
package struct QEMUArguments: Hashable, Sendable {
  package private(set) var words: [String]
  /// Whether Proxmox makes no arguments at all of the text, as a quote in it is not closed.
  package let isUnclosed: Bool

  package init(_ text: String?) {
    let words = ShellWords.words(of: text ?? "")
    self.words = words ?? []
    isUnclosed = words == nil
  }

  /// What follows each occurrence of an option, in order; QEMU takes one dash or two (`lookup_opt()` in
  /// system/vl.c).
  package func values(of option: String) -> [String] {
    places(of: option).map { words[$0 + 1] }
  }

  /// All arguments, with one value for an option that takes one: nothing else of what is there is lost.
  package func setting(_ option: String, to value: String) -> QEMUArguments {
    var changed = self
    for place in places(of: option).reversed() { changed.words.removeSubrange(place...place + 1) }
    changed.words += ["-\(option)", value]
    return changed
  }

  /// The command that puts the arguments into a machine's configuration.
  package func command(for vmid: String) -> String {
    "qm set \(vmid) --args \(ShellWords.argument(ShellWords.line(of: words)))"
  }

  /// The parts of a value `first,key=value`, the first of which may go without its key, in order.
  package static func parts(
    of value: String, first: String
  ) -> [(key: String, value: String)] {
    value.fields(at: ",", keepingEmpty: true).enumerated().map { index, part in
      if let pair = part.cut(at: "=") { return (String(pair.head), String(pair.tail)) }
      return index == 0 ? (first, String(part)) : (String(part), "on")
    }
  }

  private func places(of option: String) -> [Int] {
    words.indices.dropLast().filter { words[$0] == "-\(option)" || words[$0] == "--\(option)" }
  }
}

// MARK: Devices

extension QEMUArguments {
  /// A device of VFIO's that QEMU is given beside those of `hostpciN`: nobody but Berth binds it.
  package enum Device: Hashable, Sendable {
    case function(PCIAddress)
    /// A mediated device, by its UUID.
    case mediated(String)
    /// One that is written in a way that is not read, in its own words.
    case unread(String)
  }

  /// What `-device vfio-pci` names, by `host=` or by a path of sysfs, in order.
  package var devices: [Device] { values(of: "device").compactMap(Self.device) }

  private static func device(_ value: String) -> Device? {
    if value.begins(with: "{") { return value.has(text: "vfio-pci") ? .unread(value) : nil }
    let parts = parts(of: value, first: "driver")
    guard let driver = parts.last(where: { $0.key == "driver" })?.value,
      driver == "vfio-pci" || driver == "vfio-pci-nohotplug"
    else { return nil }
    if let path = parts.last(where: { $0.key == "sysfsdev" })?.value {
      let name = path.fields(at: "/").last.map(String.init) ?? ""
      if path.has(text: "/mdev/") { return .mediated(name) }
      return PCIAddress(name).map(Device.function) ?? .unread(value)
    }
    guard let host = parts.last(where: { $0.key == "host" })?.value else { return .unread(value) }
    let address = PCISelection(host.lowercasedASCII)?.address
    return address.map(Device.function) ?? .unread(value)
  }
}
