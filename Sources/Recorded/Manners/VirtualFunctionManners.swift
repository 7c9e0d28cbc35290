internal import Bytes
package import HostModel
internal import Port

/// How many virtual functions a physical one has: `sriov_numvfs`.
///
/// - From none to some and back only: another number than 0 is `EBUSY` while there are any.
/// - More than `sriov_totalvfs` is `ERANGE`; without a driver it is `ENOENT`.
/// - A function that comes is tried by drivers where `sriov_drivers_autoprobe` says 1.
struct VirtualFunctionManners: KernelManners {
  private static let devices: HostPath = "/sys/bus/pci/devices"

  func apply(to path: HostPath) -> Bool { path.ends(with: "/sriov_numvfs") }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    let folder = path.parent
    guard let wanted = Quantity.virtualFunctions.number(text.trimmed),
      let parent = PCIAddress(folder.name)
    else { throw refusal(of: text, at: path, .invalid) }
    let standing = try tree.number(of: path, as: .virtualFunctions)
    if wanted == standing { return }
    if wanted > (try tree.number(of: "\(folder)/sriov_totalvfs", as: .virtualFunctions)) {
      throw refusal(of: text, at: path, ErrorNumber(34))
    }
    guard tree.exists("\(folder)/driver") else { throw refusal(of: text, at: path, .notFound) }
    if wanted > 0, standing > 0 { throw refusal(of: text, at: path, .busy) }
    for index in 0..<standing { try unmake(index, of: parent, in: folder, tree) }
    for index in 0..<wanted { try make(index, of: parent, in: folder, tree) }
    try tree.replace("\(wanted)\n", at: path)
  }

  private func make(
    _ index: Int, of parent: PCIAddress, in folder: HostPath, _ tree: RecordedTree
  ) throws(HostError) {
    let routing =
      parent.bus << 8 + parent.slot << 3 + parent.function
      + (try tree.number(of: "\(folder)/sriov_offset", as: .virtualFunctions))
      + index * (try tree.number(of: "\(folder)/sriov_stride", as: .virtualFunctions))
    guard
      let address = PCIAddress(
        domain: parent.domain, bus: routing >> 8, slot: routing >> 3 & 31, function: routing & 7)
    else { throw HostError(.write, folder, errno: ErrorNumber.invalid.number) }
    let place: HostPath = "\(folder.parent)/\(address)"
    try tree.create("0x020000\n", at: "\(place)/class")
    try tree.create("(null)\n", at: "\(place)/driver_override")
    try tree.link("\(place)/physfn", to: "../\(parent)")
    try tree.link("\(folder)/virtfn\(index)", to: "../\(address)")
    try tree.link("\(Self.devices)/\(address)", to: "../../../\(place.below("/sys"))")
    let group: HostPath = "/sys/kernel/iommu_groups/\(900 + index)"
    try tree.link("\(place)/iommu_group", to: group.description)
    try tree.link("\(group)/devices/\(address)", to: place.description)
    let state = RecordedFunction(of: parent, index: index)
    for (attribute, text) in RecordedFunction.first {
      try tree.create("\(text)\n", at: state.path(of: attribute))
    }
    if try tree.text(of: "\(folder)/sriov_drivers_autoprobe").trimmed == "1" {
      try BindingManners().write("\(address)", to: "/sys/bus/pci/drivers_probe", in: tree)
    }
  }

  private func unmake(
    _ index: Int, of parent: PCIAddress, in folder: HostPath, _ tree: RecordedTree
  ) throws(HostError) {
    guard
      let address = try tree.destination(of: "\(folder)/virtfn\(index)").fields(at: "/").last
        .flatMap({ PCIAddress($0) })
    else { return }
    let place = try tree.resolved("\(Self.devices)/\(address)", for: .write)
    if tree.exists("\(place)/driver") {
      let driver = try tree.resolved("\(place)/driver", for: .write)
      try BindingManners().write("\(address)", to: "\(driver)/unbind", in: tree)
    }
    try tree.remove("/sys/kernel/iommu_groups/\(900 + index)")
    try tree.remove("\(folder)/virtfn\(index)")
    try tree.remove("\(Self.devices)/\(address)")
    try tree.remove(place)
    try tree.remove(RecordedFunction(of: parent, index: index).folder)
  }
}

/// What the driver of a recorded host tells of a virtual function: files in `recorded/`.
struct RecordedFunction {
  let folder: HostPath

  init(of parent: PCIAddress, index: Int) {
    folder = "/recorded/virtual-functions/\(parent)/\(index)"
  }

  func path(of attribute: VirtualFunctionAttribute) -> HostPath {
    "\(folder)/\(attribute.rawValue)"
  }

  /// As igb has it of a function that nobody has told anything about.
  static let first: [(VirtualFunctionAttribute, String)] = [
    (.vlan, "0"), (.mac, "00:00:00:00:00:00"), (.trust, "off"), (.spoofCheck, "on"),
  ]

  /// Whether a driver takes a text: igb refuses the address of a group.
  static func isTaken(_ text: String, as attribute: VirtualFunctionAttribute) -> Bool {
    switch attribute {
    case .vlan: VLANTag(text) != nil
    case .mac: MACAddress(text).map { $0.bytes[0] & 1 == 0 } ?? false
    case .trust, .spoofCheck: text == "on" || text == "off"
    }
  }
}

extension RecordedKernel {
  package func virtualFunctions(
    of interface: String, until deadline: Deadline
  ) throws(HostError) -> [VirtualFunctionState] {
    let parent = try parent(of: interface)
    var states: [VirtualFunctionState] = []
    for index
      in 0..<(try number(
        of: "/sys/bus/pci/devices/\(parent)/sriov_numvfs", as: .virtualFunctions))
    {
      var state = VirtualFunctionState(index: index)
      for attribute in VirtualFunctionAttribute.allCases {
        let path = RecordedFunction(of: parent, index: index).path(of: attribute)
        state[attribute] = try wordIfPresent(of: path)
      }
      states.append(state)
    }
    return states
  }

  package func set(
    _ attribute: VirtualFunctionAttribute, to text: String, ofVirtualFunction index: Int,
    of interface: String, until deadline: Deadline
  ) throws(HostError) {
    let path = RecordedFunction(of: try parent(of: interface), index: index).path(of: attribute)
    guard RecordedFunction.isTaken(text, as: attribute) else {
      throw HostError(.write, path, value: text, errno: ErrorNumber.invalid.number)
    }
    try write(text, to: path)
  }

  private func parent(of interface: String) throws(HostError) -> PCIAddress {
    let link: HostPath = "/sys/class/net/\(interface)/device"
    guard let parent = try target(of: link).flatMap({ PCIAddress($0) }) else {
      throw HostError(.follow, link, errno: ErrorNumber.noDevice.number)
    }
    return parent
  }
}
