internal import Bytes
import HostModel
internal import Port

extension FactReader {
  /// What shows the host's text consoles.
  func displays() throws(HostError) -> DisplayFacts {
    var displays = DisplayFacts()
    for entry in try kernel.entriesIfPresent(of: KernelPath.consoles) {
      let folder: HostPath = "\(KernelPath.consoles)/\(entry)"
      guard let name = try kernel.wordIfPresent(of: "\(folder)/name"),
        let bound = try kernel.wordIfPresent(of: "\(folder)/bind")
      else { continue }
      displays.consoles.append(ConsoleFacts(name: name, isBound: bound == "1"))
    }
    for kind in ["efi-framebuffer", "simple-framebuffer", "vesa-framebuffer"] {
      let device = "\(kind).0"
      let folder: HostPath = "/sys/bus/platform/devices/\(device)"
      guard
        let link = try kernel.ifPresent({ () throws(HostError) in
          try kernel.destination(of: folder)
        })
      else { continue }
      // Since 6.9 the device stands below the function that shows it.
      let function = link.fields(at: "/").compactMap { PCIAddress($0) }.last
      displays.framebuffers.append(
        FirmwareFramebuffer(device: device, binding: try binding(of: folder), function: function))
    }
    return displays
  }

  /// Modules by their names, in the order in which they are asked for.
  func modules(_ names: [String]) throws(HostError) -> [ModuleFacts] {
    var modules: [ModuleFacts] = []
    for name in names {
      let folder: HostPath = "/sys/module/\(name)"
      // What is part of the kernel itself has a folder for its parameters, and no state.
      let isLoaded = kernel.exists("\(folder)/initstate")
      var module = ModuleFacts(
        name: name, state: isLoaded ? .loaded : kernel.exists(folder) ? .builtIn : .absent)
      for entry in try kernel.entriesIfPresent(of: "\(folder)/drivers") where isLoaded {
        guard let name = entry.rest(after: "pci:") else { continue }
        let driver: HostPath = "/sys/bus/pci/drivers/\(name)"
        module.functions += try kernel.entriesIfPresent(of: driver).compactMap { PCIAddress($0) }
      }
      modules.append(module)
    }
    return modules
  }
}
