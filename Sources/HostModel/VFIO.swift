internal import Bytes

/// What VFIO makes of the drivers of PCI functions.
package enum VFIO {
  /// Whether a driver hands its function through: vfio-pci, or one of its variants.
  package static func isDriver(_ name: String) -> Bool {
    name == "vfio-pci" || name.ends(with: "_vfio_pci") || name.ends(with: "-vfio-pci")
  }

  /// Whether an IOMMU group can be handed over while one of its functions has this driver.
  ///
  /// VFIO takes a group whose every function is without a driver, on a VFIO driver, on pci-stub or
  /// on pcieport (Documentation/driver-api/vfio.rst).
  package static func tolerates(_ driver: String) -> Bool {
    isDriver(driver) || driver == "pci-stub" || driver == "pcieport"
  }
}
