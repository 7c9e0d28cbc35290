internal import Bytes
package import HostModel
internal import Port

extension FactReader {
  /// One PCI function; nil where the host has none at that address.
  package func function(
    _ address: PCIAddress, with attributes: [FunctionAttribute] = []
  ) throws(HostError) -> FunctionFacts? {
    let device: HostPath = "/sys/bus/pci/devices/\(address)"
    let present = try kernel.ifPresent { () throws(HostError) in try kernel.entries(of: device) }
    guard let present else { return nil }

    var function = FunctionFacts(address: address, binding: try binding(of: device))
    function.classCode = try classCode(of: device)
    // Shown of what has the registers of a bridge (drivers/pci/pci-sysfs.c, `pci_bridge_attrs_are_visible()`).
    function.leadsToBus = present.contains { $0 == "secondary_bus_number" }
    function.node = try node(of: device)
    if let group = try kernel.target(of: "\(device)/iommu_group").flatMap({
      Quantity.integer.number($0)
    }) {
      function.iommuGroup = group
      function.groupSiblings = try siblings(of: address, in: "\(device)/iommu_group/devices")
    }
    if function.classCode >> 16 == 0x03 {
      function.isBootDisplay = try kernel.wordIfPresent(of: "\(device)/boot_vga") == "1"
      function.hasFramebuffer = try kernel.entriesIfPresent(of: "\(device)/graphics")
        .contains { $0.number(after: "fb") != nil }
    }
    function.link = try link(of: device)
    for attribute in attributes {
      let file: HostPath = "\(device)/\(below: attribute.rawValue)"
      function.attributes[attribute] = try kernel.wordIfPresent(of: file)
    }
    function.hostUses = try HostUses(kernel: kernel, function: function).all()
    return function
  }

  /// The functions that a slot has; the first where it has none, for whoever asks for it to be told.
  package func functions(of slot: PCISelection) -> [PCIAddress] {
    let numbered = (0...7).compactMap { number in
      PCIAddress(domain: slot.domain, bus: slot.bus, slot: slot.slot, function: number)
    }
    let present = numbered.filter { kernel.exists("/sys/bus/pci/devices/\($0)") }
    return present.isEmpty ? Array(numbered.prefix(1)) : slot.functions(among: present)
  }

  func binding(of device: HostPath) throws(HostError) -> DriverBinding {
    // An override that is not set reads `(null)`; kernels before 3.16 have no such file.
    if let known = bindings.known[device] { return known }
    let override = try kernel.wordIfPresent(of: "\(device)/driver_override")
    let binding = DriverBinding(
      driver: try kernel.target(of: "\(device)/driver"),
      override: override == "(null)" || override == "" ? nil : override)
    bindings.known[device] = binding
    return binding
  }

  private func classCode(of device: HostPath) throws(HostError) -> Int {
    let text = try kernel.wordIfPresent(of: "\(device)/class")
    return text?.rest(after: "0x").flatMap { Int($0, radix: 16) } ?? 0
  }

  private func node(of device: HostPath) throws(HostError) -> Int? {
    // -1 where the firmware does not tell.
    let number = try kernel.wordIfPresent(of: "\(device)/numa_node")
      .flatMap { Quantity.integer.number($0) }
    return number.flatMap { $0 >= 0 ? $0 : nil }
  }

  /// The link of the function in a folder of sysfs; nil where it has none, or does not wake up.
  ///
  /// Newer kernels wake a function that sleeps before they look (`BlockingReads`): of such a one it is
  /// read where the reader can be left behind.
  func link(of device: HostPath) throws(HostError) -> LinkFacts? {
    let status = try kernel.wordIfPresent(of: "\(device)/power/runtime_status")
    let isAwake = status == nil || status == "active" || status == "unsupported"
    func word(_ name: String) throws(HostError) -> String? {
      let path: HostPath = "\(device)/\(name)"
      if isAwake { return try kernel.wordIfPresent(of: path) }
      let bytes = try kernel.ifPresent { () throws(HostError) in
        try kernel.bytes(of: path, until: deadline)
      }
      return bytes.map { String(decoding: $0.trimmed, as: UTF8.self) }
    }
    do throws(HostError) {
      // A function without a link has no such files, or says 0 lanes, or 255 at most.
      guard let width = try word("current_link_width").flatMap({ Quantity.integer.number($0) }),
        let maximum = try word("max_link_width").flatMap({ Quantity.integer.number($0) }),
        width > 0, maximum <= 32
      else { return nil }
      return LinkFacts(
        width: width, maximumWidth: maximum, speed: try word("current_link_speed") ?? "?",
        maximumSpeed: try word("max_link_speed") ?? "?")
    } catch  where ErrorNumber(error.errno) == .timedOut {
      // What a card that does not wake up could transfer is of no account.
      return nil
    }
  }

  private func siblings(
    of address: PCIAddress, in group: HostPath
  ) throws(HostError) -> [GroupSibling] {
    var siblings: [GroupSibling] = []
    for name in try kernel.entriesIfPresent(of: group) {
      guard let sibling = PCIAddress(name), sibling != address else { continue }
      let device: HostPath = "/sys/bus/pci/devices/\(name)"
      let binding = try binding(of: device)
      var member = GroupSibling(address: sibling, binding: binding)
      if FunctionFacts.isHosts(binding), PCIClass.mayBeUsed(try classCode(of: device)) {
        let function = FunctionFacts(address: sibling, binding: binding)
        member.hostUses = try HostUses(kernel: kernel, function: function).all()
      }
      siblings.append(member)
    }
    return siblings.sorted { $0.address < $1.address }
  }
}
