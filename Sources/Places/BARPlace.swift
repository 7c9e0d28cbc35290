internal import Bytes
internal import Facts
internal import HostModel
internal import Port

/// The size of a BAR in MiB.
///
/// The kernel changes it only while no driver has the function (`resource_resize_store()` in
/// drivers/pci/pci-sysfs.c, `EBUSY`), so the driver is taken off and given back around it. That is
/// done to a VFIO driver alone, which nobody has open before the start and after the end: the host's
/// own driver would start anew, with all who use it.
struct BARPlace: Place {
  let kernel: any Kernel
  let bar: BAR

  private var device: HostPath { "/sys/bus/pci/devices/\(bar.function)" }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    .count(try BARReader(kernel: kernel).mebibytes(of: bar))
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .count(let mebibytes) = value, mebibytes.isPowerOfTwo else {
      throw unsupported(value, at: "\(bar)")
    }
    let driver = DriverPlace(kernel: kernel, function: bar.function)
    guard case .driver(let standing) = try driver.read(until: deadline) else { return }
    if let name = standing.driver, !name.begins(with: "vfio") {
      throw HostError(
        .write, "\(bar)", value: "\(mebibytes) MiB", errno: ErrorNumber.busy.number,
        diagnosis: "\(name) has the function")
    }
    let alone = DriverBinding(driver: nil, override: standing.override)
    try driver.write(.driver(alone), until: deadline)
    var failure: HostError?
    do throws(HostError) {
      try kernel.write(
        "\(mebibytes.trailingZeroBitCount)", to: "\(device)/resource\(bar.number)_resize",
        until: deadline)
    } catch {
      failure = Self.explained(error, mebibytes)
    }
    // With the size that it has, whichever that is.
    try driver.write(.driver(standing), until: deadline)
    if let failure { throw failure }
  }

  private static func explained(_ error: HostError, _ mebibytes: Int) -> HostError {
    guard ErrorNumber(error.errno) == .noSpace else { return error }
    return HostError(
      .write, error.place, value: "\(mebibytes) MiB", errno: error.errno,
      diagnosis: "the bridge above has no room for it; “Above 4G decoding” in the firmware makes "
        + "some")
  }
}

extension Int {
  fileprivate var isPowerOfTwo: Bool { self > 0 && nonzeroBitCount == 1 }
}
