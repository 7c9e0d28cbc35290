internal import Bytes
internal import Facts
internal import HostModel
internal import Port

/// How many virtual functions a physical one has.
///
/// The kernel knows only none and so many: any other change takes all of them away first
/// (drivers/pci/pci-sysfs.c, `sriov_numvfs_store()`). So they are changed only while nobody uses one.
struct VirtualFunctionsPlace: Place {
  let kernel: any Kernel
  let parent: PCIAddress

  private var file: HostPath { "/sys/bus/pci/devices/\(parent)/sriov_numvfs" }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    .count(try kernel.number(of: file, as: .virtualFunctions))
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .count(let wanted) = value else { throw unsupported(value, at: file) }
    let standing = try kernel.number(of: file, as: .virtualFunctions)
    if standing == wanted { return }
    if standing > 0 {
      let uses = try VirtualFunctionReader(kernel: kernel).uses(of: parent)
      guard uses.isEmpty else {
        throw HostError(
          .write, file, value: "\(wanted)", errno: ErrorNumber.busy.number,
          diagnosis: "all \(standing) virtual functions would go, and "
            + uses.joined(separator: ", "))
      }
      try set(0, until: deadline)
    }
    guard wanted > 0 else { return }
    try set(wanted, until: deadline)
    try wait(for: wanted, until: deadline)
  }

  private func set(_ count: Int, until deadline: Deadline) throws(HostError) {
    do throws(HostError) {
      try kernel.write("\(count)", to: file, until: deadline)
    } catch {
      var error = error
      // From none to some it is not the number that is in the way.
      if ErrorNumber(error.errno) == .notFound, kernel.exists(file) {
        error.diagnosis = "its driver makes no virtual functions"
      }
      throw error
    }
  }

  /// Waits until the functions are there and udev is done with them: it may load their driver, which
  /// then takes them a moment after the write.
  private func wait(for count: Int, until deadline: Deadline) throws(HostError) {
    var missing = count
    try kernel.wait(until: deadline) { () throws(HostError) in
      missing = count - (try VirtualFunctionReader(kernel: kernel).functions(of: parent).count)
      return missing == 0
    }
    guard missing == 0 else {
      throw HostError(
        .write, file, value: "\(count)", errno: ErrorNumber.timedOut.number,
        diagnosis: "\(missing) virtual functions did not come")
    }
    try kernel.waitForUdev(
      toSee: try VirtualFunctionReader(kernel: kernel).functions(of: parent), until: deadline)
  }
}

/// What the driver of a physical function was told of a virtual one.
struct VirtualFunctionPlace: Place {
  let kernel: any Kernel
  let function: VirtualFunction
  let attribute: VirtualFunctionAttribute

  func read(until deadline: Deadline) throws(HostError) -> Value {
    let interface = try interface()
    let states = try kernel.virtualFunctions(of: interface, until: deadline)
    guard let state = states.first(where: { $0.index == function.index }) else {
      throw HostError(.read, "\(function)", errno: ErrorNumber.noDevice.number)
    }
    guard let text = state[attribute] else {
      throw HostError(
        .read, "\(attribute.rawValue) of \(function)", errno: ErrorNumber.notSupported.number,
        diagnosis: "the driver of \(interface) does not tell, so it could not be given back")
    }
    return .text(text)
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .text(let text) = value else { throw unsupported(value, at: "\(function)") }
    try kernel.set(
      attribute, to: text, ofVirtualFunction: function.index, of: try interface(),
      until: deadline)
  }

  /// The interface of the physical function.
  ///
  /// - Throws: `ENOENT` where its driver, and with it the virtual functions, is gone; `ENODEV`
  ///   where it has none.
  private func interface() throws(HostError) -> String {
    let folder: HostPath = "/sys/bus/pci/devices/\(function.parent)/net"
    guard let name = try kernel.entries(of: folder).first else {
      throw HostError(.list, folder, errno: ErrorNumber.noDevice.number)
    }
    return name
  }
}
