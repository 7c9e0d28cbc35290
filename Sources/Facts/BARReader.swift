internal import Bytes
package import HostModel
package import Port

/// What is read of BARs.
package struct BARReader {
  let kernel: any KernelReader

  package init(kernel: any KernelReader) { self.kernel = kernel }

  /// - Throws: `ENOENT` where the function is not there, `ENODEV` where it does not use the BAR.
  package func mebibytes(of bar: BAR) throws(HostError) -> Int {
    let path: HostPath = "/sys/bus/pci/devices/\(bar.function)/resource"
    // A line for each: first byte, last byte, flags; zeroes where it is not used.
    let lines = try kernel.text(of: path).fields(at: "\n")
    let fields = bar.number < lines.count ? lines[bar.number].fields(at: " ") : []
    guard fields.count == 3, let first = Self.number(fields[0]), let last = Self.number(fields[1]),
      last > first
    else { throw HostError(.read, path, errno: ErrorNumber.noDevice.number) }
    return Int(((last - first) >> 20) + 1)
  }

  /// nil where there is no such BAR.
  func facts(of bar: BAR) throws(HostError) -> BARFacts? {
    let path: HostPath = "/sys/bus/pci/devices/\(bar.function)/resource\(bar.number)_resize"
    return try kernel.ifPresent { () throws(HostError) -> BARFacts in
      let mebibytes = try mebibytes(of: bar)
      // Bit n stands for 2^n MiB.
      let bits = UInt64(try kernel.wordIfPresent(of: path) ?? "0", radix: 16) ?? 0
      let offered = (0..<44).filter { bits & 1 << UInt64($0) != 0 }.map { 1 << $0 }
      return BARFacts(bar, mebibytes: mebibytes, offeredMebibytes: offered)
    }
  }

  private static func number(_ text: Substring) -> UInt64? {
    text.rest(after: "0x").flatMap { UInt64($0, radix: 16) }
  }
}
