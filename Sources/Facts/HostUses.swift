internal import Bytes
import HostModel
internal import Port

/// Finds out how the host visibly uses a PCI function.
///
/// A disk or an interface that the host works with must not be taken from it: the kernel itself
/// would let its driver be unbound without a word. What can neither be seen in sysfs and procfs nor be
/// asked of the kernel (an IPv4 address of `/32` without a route, a disk that a program has open without
/// wanting it alone) is not found.
struct HostUses {
  let kernel: any KernelReader
  let function: FunctionFacts

  /// - Throws: Where something that decides about it cannot be read.
  func all() throws(HostError) -> [HostUse] {
    // Without a driver, or with one that hands the function through, the host has no part in it.
    guard function.isHosts else { return [] }
    return try uses(ofDisks: disks()).map { HostUse($0) } + interfaces() + virtualFunctions()
      + inputs()
  }

  var device: HostPath { function.folder }

  /// The devices of a class that stand somewhere below the function.
  ///
  /// The entries of `/sys/class/CLASS` are links whose path names each device on the way: a disk
  /// behind an NVMe, SATA, USB or virtio controller alike.
  func devices(of kind: String) throws(HostError) -> [String] {
    var names: [String] = []
    for name in try kernel.entriesIfPresent(of: "/sys/class/\(kind)") {
      guard let path = try destination(of: "/sys/class/\(kind)/\(name)") else { continue }
      if path.fields(at: "/").contains(where: { $0 == "\(function.address)" }) {
        names.append(name)
      }
    }
    return names
  }

  /// Nil also for what is no link: `/sys/class/net/` holds the file `bonding_masters`, too.
  func destination(of link: HostPath) throws(HostError) -> String? {
    do {
      return try kernel.destination(of: link)
    } catch {
      if error.isAbsence || error.errno == ErrorNumber.invalid.number { return nil }
      throw error
    }
  }

  /// Unbinding the driver of a physical function destroys the virtual ones made from it.
  private func virtualFunctions() throws(HostError) -> [HostUse] {
    let count =
      try kernel.wordIfPresent(of: "\(device)/sriov_numvfs")
      .flatMap { Quantity.virtualFunctions.number($0) } ?? 0
    if count == 0 { return [] }
    return [HostUse("\(count) virtual functions are made from it", .service)]
  }
}
