internal import ArgumentParser
import HostModel

/// An amount of memory as an administrator writes it.
extension MemorySize {
  /// What a domain's memory is measured by; `GB` is left out, as it is read in two ways.
  private static let units: [(names: [String], kiB: Int)] = [
    (["K", "KiB"], 1), (["M", "MiB"], 1 << 10), (["G", "GiB"], 1 << 20),
    (["T", "TiB"], 1 << 30),
  ]

  /// The least that a domain is advised with, and far more than any host has.
  private static let range = 1 << 10...1 << 40

  /// - Throws: `ValidationError` for anything but a whole number with such a unit.
  init(_ text: String) throws {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let name = text.dropFirst(digits.count)
    if name.isEmpty, !digits.isEmpty {
      throw ValidationError("“\(text)” has no unit; write \(text)G for GiB, or \(text)M for MiB")
    }
    guard let number = Int(digits), digits.count <= 13,
      let unit = Self.units.first(where: { unit in
        unit.names.contains { $0.lowercased() == name.lowercased() }
      })
    else {
      throw ValidationError("“\(text)” is no amount of memory such as 16G, 16GiB or 16384M")
    }
    let (product, overflows) = number.multipliedReportingOverflow(by: unit.kiB)
    guard !overflows, Self.range.contains(product) else {
      throw ValidationError("memory must be between 1 MiB and 1 PiB, not \(text)")
    }
    self.init(kiB: product)
  }
}
