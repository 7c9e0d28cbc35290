internal import Bytes
internal import HostModel
internal import Port

/// Whether a driver of text consoles has them, `1` or `0`.
///
/// The driver is known by its name, as its number is given anew each time that it comes. Where it
/// goes with the last framebuffer, nothing is left to be put back: it comes back bound
/// (drivers/video/fbdev/core/fbcon.c).
struct ConsolePlace: Place {
  let kernel: any Kernel
  let name: String

  func read(until deadline: Deadline) throws(HostError) -> Value {
    .text(try kernel.text(of: try file()).trimmed)
  }

  /// The consoles are repainted before the write is over, by drivers of displays: it is made where
  /// it can be abandoned.
  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .text(let text) = value else { throw unsupported(value, at: KernelPath.consoles) }
    try kernel.write(text, to: try file(), until: deadline)
  }

  private func file() throws(HostError) -> HostPath {
    for entry in try kernel.entries(of: KernelPath.consoles) {
      let folder: HostPath = "\(KernelPath.consoles)/\(entry)"
      if try kernel.wordIfPresent(of: "\(folder)/name") == name { return "\(folder)/bind" }
    }
    throw HostError(.read, "consoles of \(name)", errno: ErrorNumber.notFound.number)
  }
}
