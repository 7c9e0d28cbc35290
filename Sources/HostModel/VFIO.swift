internal import Bytes

/// What VFIO makes of the drivers of PCI functions.
package enum VFIO {
  /// Whether a driver hands its function through: vfio-pci, or one of its variants.
  package static func isDriver(_ name: String) -> Bool {
    name == "vfio-pci" || name.ends(with: "_vfio_pci") || name.ends(with: "-vfio-pci")
  }

  /// Whether a text, which may be anybody's, can be the name of such a driver.
  ///
  /// A driver goes by the name of its module, which is loaded where it is not there.
  package static func isName(_ text: String) -> Bool {
    isDriver(text)
      && text.utf8.allSatisfy { $0.isDigit || $0.isLetter || "_-".utf8.contains($0) }
  }

  /// Whether an IOMMU group can be handed over while one of its functions has this driver.
  ///
  /// VFIO takes a group whose every function is without a driver, on a VFIO driver, on pci-stub or
  /// on pcieport (Documentation/driver-api/vfio.rst).
  package static func tolerates(_ driver: String) -> Bool {
    isDriver(driver) || driver == "pci-stub" || driver == "pcieport"
  }
}
