internal import Bytes
package import HostModel
internal import Port

extension FactReader {
  /// The physical functions that are there and can have virtual ones.
  func physicalFunctions(
    named names: [String]
  ) throws(HostError) -> [PhysicalFunctionFacts] {
    let reader = VirtualFunctionReader(kernel: kernel)
    var found: [PhysicalFunctionFacts] = []
    for name in names {
      guard let address = try reader.physical(named: name) else { continue }
      let folder: HostPath = "/sys/bus/pci/devices/\(address)"
      guard
        let total = try kernel.wordIfPresent(of: "\(folder)/sriov_totalvfs")
          .flatMap({ Quantity.virtualFunctions.number($0) })
      else { continue }
      found.append(
        PhysicalFunctionFacts(
          asked: name, address: address,
          count: try kernel.number(of: "\(folder)/sriov_numvfs", as: .virtualFunctions),
          total: total, uses: try reader.uses(of: address)))
    }
    return found
  }

  func virtualFunctions(named names: [String]) throws(HostError) -> [VirtualFunctionFacts] {
    var found: [VirtualFunctionFacts] = []
    for name in names {
      if let function = try VirtualFunctionReader(kernel: kernel).virtual(named: name) {
        found.append(VirtualFunctionFacts(asked: name, function: function))
      }
    }
    return found
  }

  /// Slots with their functions; none of them where the slot is empty.
  func slots(_ slots: [PCISlot]) throws(HostError) -> [SlotFacts] {
    var found: [SlotFacts] = []
    for slot in slots {
      var functions: [FunctionFacts] = []
      for address in try kernel.functions(in: slot) {
        if let function = try function(address) { functions.append(function) }
      }
      try readUsers(of: &functions)
      let rescan: HostPath = "/sys/class/pci_bus/\(slot.busName)/rescan"
      found.append(
        SlotFacts(slot: slot, functions: functions, canRescan: kernel.exists(rescan)))
    }
    return found
  }

  /// The processes that hold a device of VFIO, each as a phrase.
  ///
  /// A process that ends meanwhile, or that may not be looked into, has none.
  func vfioUsers() throws(HostError) -> [String] {
    var users: [String] = []
    for pid in try kernel.entries(of: "/proc").compactMap(Quantity.process.number) {
      let isUser = processes.deviceFiles(of: pid).contains { path in
        path.begins(with: "/dev/vfio/") && path != "/dev/vfio/vfio"
      }
      guard isUser else { continue }
      let name = (try? kernel.word(of: "/proc/\(pid)/comm")) ?? "?"
      users.append("\(name) (process \(pid))")
    }
    return users
  }
}

extension KernelReader {
  /// The functions that stand in a slot; ascending.
  package func functions(in slot: PCISlot) throws(HostError) -> [PCIAddress] {
    try entries(of: "/sys/bus/pci/devices").compactMap { PCIAddress($0) }
      .filter(slot.contains).sorted()
  }
}
