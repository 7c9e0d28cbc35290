internal import Bytes
package import HostModel
internal import Port

extension FactReader {
  /// Finds out which processes have a device file of the functions open.
  ///
  /// Unbinding a GPU under its clients hangs in the driver of NVIDIA, and takes the screen from
  /// under a session with the others; that of a sound card waits until its last file is closed
  /// (sound/core/init.c, `snd_card_free`). All of `/proc` is searched for it, so that this is done
  /// once, and only for display controllers and sound cards that a driver of the host has, and for
  /// functions that wait on a driver of VFIO, of which another VM may have one.
  package func readUsers(of functions: inout [FunctionFacts]) throws(HostError) {
    var files: [DeviceFiles] = []
    for function in functions { files.append(try deviceFiles(of: function)) }
    if files.allSatisfy(\.isEmpty) { return }
    for pid in try kernel.entries(of: "/proc").compactMap(Quantity.process.number) {
      let open = processes.deviceFiles(of: pid)
      for (index, files) in files.enumerated() {
        guard let file = open.first(where: files.contains) else { continue }
        let name = (try? kernel.word(of: "/proc/\(pid)/comm")) ?? "?"
        functions[index].users.append(DeviceUser(file: file, name: name, pid: pid))
      }
    }
  }

  /// Leaves out the domain's own QEMU: what it has open it has by right.
  func forgetQEMU(of domain: Domain, in functions: inout [FunctionFacts]) {
    guard functions.contains(where: { !$0.users.isEmpty && !$0.isHosts }),
      let own = try? ProcessReader(kernel: kernel).qemu(of: domain)
    else { return }
    for index in functions.indices { functions[index].users.removeAll { $0.pid == own.pid } }
  }

  /// The device files of a function; none for one without a driver, or whose users are in nobody's way.
  private func deviceFiles(of function: FunctionFacts) throws(HostError) -> DeviceFiles {
    if let driver = function.binding.driver, VFIO.isDriver(driver) {
      return try vfioFiles(of: function, driver)
    }
    guard function.isHosts else { return DeviceFiles() }
    switch function.classCode >> 16 {
    case 0x03: return try displayFiles(of: function)
    case 0x04: return try soundFiles(of: function)
    default: return DeviceFiles()
    }
  }

  /// The file of the function's group and, since Linux 6.6, its own, by which iommufd hands it over; none
  /// where nobody has any function of the driver's.
  ///
  /// Whoever has one keeps the driver's module (drivers/vfio/vfio_main.c, `vfio_df_device_first_open()`):
  /// mostly nobody has, and no process has to be looked into.
  private func vfioFiles(
    of function: FunctionFacts, _ driver: String
  ) throws(HostError) -> DeviceFiles {
    var files = DeviceFiles()
    let module = driver.replaced("-", by: "_")
    if try kernel.wordIfPresent(of: "/sys/module/\(module)/refcnt") == "0" { return files }
    if let group = function.iommuGroup { files.names.append("/dev/vfio/\(group)") }
    for name in try kernel.entriesIfPresent(of: "\(function.folder)/vfio-dev") {
      files.names.append("/dev/vfio/devices/\(name)")
    }
    return files
  }

  private func displayFiles(of function: FunctionFacts) throws(HostError) -> DeviceFiles {
    var files = DeviceFiles()
    for name in try kernel.entriesIfPresent(of: "\(function.folder)/drm")
    where name.number(after: "card") != nil || name.number(after: "renderD") != nil {
      files.names.append("/dev/dri/\(name)")
    }
    // NVIDIA's own device files carry a number that only its driver tells, and some are for all of
    // its GPUs together.
    let gpus = try kernel.entriesIfPresent(of: "/proc/driver/nvidia/gpus")
    let information: HostPath = "/proc/driver/nvidia/gpus/\(function.address)/information"
    let minor = try (kernel.wordIfPresent(of: information) ?? "").lines
      .compactMap { $0.rest(after: "Device Minor:") }.first
    if let minor { files.names.append("/dev/nvidia\(minor.trimmed)") }
    let isAlone = gpus.count == 1 && gpus[0] == "\(function.address)"
    if function.binding.driver == "nvidia", isAlone || minor == nil { files.prefix = "/dev/nvidia" }
    return files
  }

  private func soundFiles(of function: FunctionFacts) throws(HostError) -> DeviceFiles {
    var files = DeviceFiles()
    for card in try kernel.entriesIfPresent(of: "\(function.folder)/sound") {
      guard let number = card.number(after: "card") else { continue }
      for name in try kernel.entriesIfPresent(of: "\(function.folder)/sound/\(card)")
      where ["controlC", "pcmC", "hwC", "midiC"].contains(where: {
        name.begins(with: "\($0)\(number)")
      }) {
        files.names.append("/dev/snd/\(name)")
      }
    }
    return files
  }
}

/// Device files by their names or, where nobody tells all of them, by how they begin.
private struct DeviceFiles {
  var names: [String] = []
  var prefix: String?

  var isEmpty: Bool { names.isEmpty && prefix == nil }

  func contains(_ path: String) -> Bool {
    names.contains(path) || prefix.map(path.begins) ?? false
  }
}

extension FunctionFacts {
  /// Whether a driver of the host has the function, and not one that hands it through.
  var isHosts: Bool { Self.isHosts(binding) }

  static func isHosts(_ binding: DriverBinding) -> Bool {
    guard let driver = binding.driver else { return false }
    return !driver.begins(with: "vfio") && driver != "pci-stub"
  }

  /// Where the kernel shows the function.
  var folder: HostPath { "/sys/bus/pci/devices/\(address)" }
}
