internal import Bytes

/// The processors of a guest, as QEMU reads them out of all its `-smp` together.
///
/// Each key counts by its last occurrence (`machine_parse_property_opt()` in system/vl.c), so that one in
/// `args` that names only some leaves the others to Proxmox's own, which has `cpus`, `sockets`, `cores` and
/// `maxcpus`.
package struct QEMUProcessors: Hashable, Sendable {
  private var counts: [String: Int]

  /// Those of a machine without any `-smp` of its own.
  package init(sockets: Int, cores: Int, online: Int) {
    let sockets = min(max(1, sockets), CPUList.capacity)
    let cores = min(max(1, cores), CPUList.capacity)
    counts = [
      "sockets": sockets, "cores": cores, "maxcpus": sockets * cores,
      "cpus": min(online, sockets * cores),
    ]
  }

  /// Takes in what `args` says; numbers that no guest can have are left out.
  package mutating func merge(_ arguments: QEMUArguments) {
    for value in arguments.values(of: "smp") {
      for (key, text) in QEMUArguments.parts(of: value, first: "cpus") {
        guard let number = Int(text), (1...CPUList.capacity).contains(number) else { continue }
        counts[key] = number
      }
    }
  }

  /// From the largest to the smallest.
  private static let levels = [
    "drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads",
  ]

  package subscript(level: String) -> Int {
    if let count = counts[level] { return count }
    // The one that QEMU works out (`machine_parse_smp_config()` in hw/core/machine-smp.c).
    return level == "threads" ? maximum / max(1, product(besides: "threads")) : 1
  }

  /// How many there can be.
  package var maximum: Int { min(counts["maxcpus"] ?? 1, CPUList.capacity) }
  /// How many are on at the start.
  package var online: Int { counts["cpus"] ?? 1 }
  /// How many threads a core has.
  package var threads: Int { max(1, self["threads"]) }

  private func product(besides level: String? = nil) -> Int {
    Self.levels.filter { $0 != level }.reduce(1) { product, level in
      let next = product.multipliedReportingOverflow(by: self[level])
      return next.overflow ? .max : next.partialValue
    }
  }

  /// What QEMU ends with instead of starting, and the number that `maxcpus` would have to be; nil where it
  /// starts.
  package var objection: (words: String, maximum: Int)? {
    let product = product()
    if product != counts["maxcpus"] {
      let factors = Self.levels.filter { counts[$0] != nil || $0 == "threads" }
        .map { "\($0) (\(self[$0]))" }.joined(separator: " * ")
      return (
        "Invalid CPU topology: product of the hierarchy must match maxcpus: \(factors) != maxcpus "
          + "(\(counts["maxcpus"] ?? 0))", max(product, online)
      )
    }
    if online > product {
      return ("Invalid CPU topology: maxcpus must be equal to or greater than smp", online)
    }
    return nil
  }
}
