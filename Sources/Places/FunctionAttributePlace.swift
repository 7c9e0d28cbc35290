internal import Bytes
internal import HostModel
internal import Port

/// An attribute of a PCI function.
///
/// Each write is made where it can be abandoned: it may wake the function, which a dead card never
/// does.
struct FunctionAttributePlace: Place {
  let kernel: any Kernel
  let address: PCIAddress
  let attribute: FunctionAttribute

  private var file: HostPath { "/sys/bus/pci/devices/\(address)/\(below: attribute.rawValue)" }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    .text(try kernel.text(of: file).trimmed)
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .text(let text) = value else { throw unsupported(value, at: file) }
    do throws(HostError) {
      // An empty list of reset methods is a line of its own: no reset at all.
      try kernel.write(text.isEmpty ? "\n" : text, to: file, until: deadline)
    } catch  where attribute == .resetMethod && ErrorNumber(error.errno) == .invalid {
      throw HostError(
        .write, file, value: text, errno: error.errno,
        diagnosis: "one of these ways to reset the function is not possible any more; “default” "
          + "makes the kernel look for those that are")
    }
  }
}
