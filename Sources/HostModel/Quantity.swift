package import Bytes

/// The numbers that there can be of something on a host, by the greatest that its kernel knows.
///
/// A number from elsewhere is bounded where it is read, and nowhere else: sums over all CPUs, nodes and
/// pages of a host, and an amount in bytes for one in KiB, have room in an `Int` then.
package struct Quantity: Hashable, Sendable {
  package let range: ClosedRange<Int>

  package init(_ range: ClosedRange<Int>) { self.range = range }

  /// Amounts of memory in KiB: what 52 bits of addresses reach, which is all that page tables have room for
  /// (`__PHYSICAL_MASK_SHIFT` of x86, `CONFIG_ARM64_PA_BITS`).
  package static let kibibytes = Quantity(0...1 << 42)

  /// Sizes of huge pages in KiB, up to the 16 GiB of POWER.
  package static let pageKibibytes = Quantity(1...1 << 24)

  /// Pages of 4 KiB and more.
  package static let pages = Quantity(0...1 << 40)

  /// What settings count, and by how much that may be short.
  package static let count = Quantity(-(1 << 40)...1 << 40)

  /// Numbers of CPUs, as a `CPUList` holds them.
  package static let cpu = Quantity(0...CPUList.capacity - 1)

  /// Numbers of nodes: `NODES_SHIFT` is 10 at most (include/linux/numa.h and the Kconfigs).
  package static let node = Quantity(0...1023)

  /// PIDs and TIDs, as `PID_MAX_LIMIT` says (include/linux/threads.h).
  package static let process = Quantity(1...1 << 22)

  /// Virtual functions of a PCI function, and what their addresses are made of: 16 bits of the SR-IOV
  /// capability (include/uapi/linux/pci_regs.h, `PCI_SRIOV_TOTAL_VF`).
  package static let virtualFunctions = Quantity(0...65_535)

  /// What the kernel keeps in an `int`: interrupts, frequencies in kHz, latencies, indices, and ids of which
  /// -1 is that of nobody.
  package static let integer = Quantity(Int(Int32.min)...Int(Int32.max))

  /// The number that a text says in decimal; nil for another text, and for a number that there cannot be.
  package func number(_ text: some StringProtocol) -> Int? {
    Int(text).flatMap { range.contains($0) ? $0 : nil }
  }

  /// The number behind a prefix, as in `node1` or `cpu15`.
  package func number(in name: String, after prefix: String) -> Int? {
    name.number(after: prefix).flatMap { range.contains($0) ? $0 : nil }
  }
}

extension Int {
  /// The whole number next to one with a fraction, and the nearest of those that there are to one beyond;
  /// 0 for what is no number.
  package init(nearest number: Double) {
    // The greatest Int is no Double; the next one below it is 2⁶³ - 1024.
    let (least, greatest) = (-9_223_372_036_854_775_808.0, 9_223_372_036_854_774_784.0)
    self = number.isNaN ? 0 : Int(Swift.min(Swift.max(number.rounded(), least), greatest))
  }
}

extension HugepagePool {
  /// The memory that pages of this size make up, in KiB, and no more than there can be.
  package func kibibytes(in pages: Int) -> Int { Self.kibibytes(in: pages, of: pageKiB) }

  package static func kibibytes(in pages: Int, of pageKiB: Int) -> Int {
    let product = pages.multipliedReportingOverflow(by: pageKiB)
    let most = Quantity.kibibytes.range.upperBound
    if product.overflow { return (pages < 0) == (pageKiB < 0) ? most : -most }
    return Swift.min(Swift.max(product.partialValue, -most), most)
  }
}

extension HostError {
  /// Why a file does not hold the number that it is read for.
  package init(noNumber word: String, at path: HostPath) {
    let isNumber = Int(word) != nil
    self.init(
      .read, path, errno: ErrorNumber.invalid.number,
      diagnosis: "“\(word.clipped(to: 60))” is "
        + (isNumber ? "more than there can be" : "not a number"))
  }
}
