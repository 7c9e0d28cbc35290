package import HostModel

/// A graphics card of four functions, as lines of a recorded host: the card itself, its sound, its
/// USB controller and the serial bus beside it, each with a driver of its own.
package enum Card {
  package static let drivers = ["amdgpu", "snd_hda_intel", "xhci_hcd", "i2c-designware-pci"]

  private static let classes = ["0x030000", "0x040300", "0x0c0330", "0x0c8000"]
  private static let bridge = "sys/devices/pci0000:40/0000:40:03.1"

  /// The card whose own function has the driver `gpu`.
  package static func lines(gpu: String = "amdgpu") -> String {
    var lines = "sys/bus/pci/drivers/\(gpu)/bind\t\\c\nsys/bus/pci/drivers/\(gpu)/unbind\t\\c\n"
    for number in 0..<4 {
      lines += function(number, driver: number == 0 ? gpu : drivers[number])
    }
    return lines + devices + consoles + limits(gpu: gpu)
  }

  package static func address(_ number: Int) throws -> PCIAddress {
    guard let address = PCIAddress(domain: 0, bus: 0x45, slot: 0, function: number) else {
      throw HostError(.read, "0000:45:00.\(number)", errno: ErrorNumber.invalid.number)
    }
    return address
  }

  private static func function(_ number: Int, driver: String) -> String {
    let name = "0000:45:00.\(number)"
    let place = "\(bridge)/\(name)"
    return """
      sys/bus/pci/drivers/\(driver)/bind\t\\c
      sys/bus/pci/drivers/\(driver)/unbind\t\\c
      sys/bus/pci/devices/\(name) -> ../../../\(place.dropFirst("sys/".count))
      \(place)/class\t\(classes[number])
      \(place)/driver_override\t(null)
      \(place)/power/control\t\(number == 0 ? "auto" : "on")
      \(place)/d3cold_allowed\t1
      \(place)/reset_method\t\(number == 0 ? "device_specific bus" : "")
      \(place)/current_link_width\t8
      \(place)/max_link_width\t16
      \(place)/current_link_speed\t2.5 GT/s PCIe
      \(place)/max_link_speed\t16.0 GT/s PCIe
      \(place)/driver -> ../../../../bus/pci/drivers/\(driver)
      sys/bus/pci/drivers/\(driver)/\(name) -> ../../../../\(place.dropFirst("sys/".count))
      \(place)/iommu_group -> ../../../../kernel/iommu_groups/5\(number)
      sys/kernel/iommu_groups/5\(number)/devices/\(name) -> ../../../../../\(place)

      """
  }

  private static let devices = """
    \(bridge)/0000:45:00.0/boot_vga\t1
    \(bridge)/0000:45:00.0/drm/card1/
    \(bridge)/0000:45:00.0/drm/renderD129/
    \(bridge)/0000:45:00.0/graphics/fb0/
    \(bridge)/0000:45:00.1/sound/card2/controlC2/
    \(bridge)/0000:45:00.1/sound/card2/pcmC2D3p/

    """

  private static let consoles = """
    sys/class/vtconsole/vtcon0 -> ../../devices/virtual/vtconsole/vtcon0
    sys/class/vtconsole/vtcon3 -> ../../devices/virtual/vtconsole/vtcon3
    sys/devices/virtual/vtconsole/vtcon0/name\t(S) dummy device
    sys/devices/virtual/vtconsole/vtcon0/bind\t0
    sys/devices/virtual/vtconsole/vtcon3/name\t(M) frame buffer device
    sys/devices/virtual/vtconsole/vtcon3/bind\t1
    sys/bus/platform/drivers_probe\t\\c
    sys/bus/platform/drivers/efi-framebuffer/bind\t\\c
    sys/bus/platform/drivers/efi-framebuffer/unbind\t\\c

    """

  /// The firmware's framebuffer, which a card has until a driver of its own draws on it.
  package static let framebuffer = """
    sys/bus/platform/devices/efi-framebuffer.0 -> ../../../devices/platform/efi-framebuffer.0
    sys/devices/platform/efi-framebuffer.0/driver_override\t(null)
    sys/devices/platform/efi-framebuffer.0/driver -> ../../../bus/platform/drivers/efi-framebuffer
    sys/bus/platform/drivers/efi-framebuffer/efi-framebuffer.0 -> \
    ../../../../devices/platform/efi-framebuffer.0

    """

  /// NVIDIA's modules: the card's driver is in the last one, which the others use.
  package static let modules = """
    sys/module/nvidia/initstate\tlive
    sys/module/nvidia/refcnt\t2
    sys/module/nvidia/holders/nvidia_modeset/
    sys/module/nvidia/holders/nvidia_uvm/
    sys/module/nvidia/drivers/pci:nvidia -> ../../../bus/pci/drivers/nvidia
    sys/module/nvidia_uvm/initstate\tlive
    sys/module/nvidia_uvm/refcnt\t0
    sys/module/nvidia_modeset/initstate\tlive
    sys/module/nvidia_modeset/refcnt\t1
    sys/module/nvidia_modeset/holders/nvidia_drm/
    sys/module/nvidia_drm/initstate\tlive
    sys/module/nvidia_drm/refcnt\t0

    """

  private static func limits(gpu: String) -> String {
    var lines = [
      "/sys/\(bridge.dropFirst("sys/".count))/0000:45:00.0/reset_method resets device_specific,bus"
    ]
    for number in 0..<4 {
      let driver = number == 0 ? gpu : drivers[number]
      lines.append("/sys/bus/pci/devices/0000:45:00.\(number) driver \(driver)")
    }
    return "recorded/limits\t" + lines.joined(separator: "\n\t") + "\n"
  }
}
