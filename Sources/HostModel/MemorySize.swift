/// An amount of memory as people read it: `1.8 GiB`, `512 MiB`, `125.7 GiB`.
package struct MemorySize: CustomStringConvertible, Sendable {
  package var kiB: Int

  package init(kiB: Int) { self.kiB = kiB }

  /// In the largest unit of which there is one, with one decimal where it says something.
  package var description: String {
    // A record may say anything; more than the kernel can address is shown as that.
    let kiB = min(kiB, 1 << 54)
    let units = [(1 << 30, "TiB"), (1 << 20, "GiB"), (1 << 10, "MiB")]
    guard let (size, unit) = units.first(where: { kiB >= $0.0 }) else { return "\(kiB) KiB" }
    let tenths = (kiB * 10 + size / 2) / size
    return tenths % 10 == 0 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
  }
}
