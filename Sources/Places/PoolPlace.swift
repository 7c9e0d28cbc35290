internal import Bytes
internal import HostModel
internal import Port

/// The huge pages of one size on one node, counted in persistent pages.
///
/// `nr_hugepages` reads as persistent and surplus pages together and is written as persistent ones
/// alone (mm/hugetlb.c, `set_max_huge_pages`), so writing back what was read would make surplus
/// pages stay for good.
struct PoolPlace: Place {
  let kernel: any Kernel
  let pool: HugepagePool

  private let folder: HostPath

  init(kernel: any Kernel, pool: HugepagePool) {
    self.kernel = kernel
    self.pool = pool
    folder = kernel.folder(of: pool)
  }

  /// The two numbers are not read at one moment: a QEMU that ends in between takes its surplus away, and
  /// what is left then would pass for persistent pages.
  func read(until deadline: Deadline) throws(HostError) -> Value {
    var surplus = try number("surplus_hugepages")
    var persistent = 0
    for _ in 0..<Self.looks {
      persistent = try number("nr_hugepages") - surplus
      let surplusSince = try number("surplus_hugepages")
      if surplusSince == surplus { break }
      surplus = surplusSince
    }
    return .count(max(0, persistent))
  }

  /// How often a pool is read that somebody changes in between.
  private static let looks = 4

  /// What Proxmox holds while it counts, allocates and takes pages
  /// (`hugepages_update_locked()` in src/PVE/QemuServer/Memory.pm).
  ///
  /// Whoever adds pages to those that stand there has to count them under it, too.
  static let sharedLock: HostPath = "/var/lock/hugepages.lck"

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .count(let wanted) = value else { throw unsupported(value, at: folder) }
    try set(wanted, until: deadline)
    guard case .count(let standing) = try read(until: deadline), standing > wanted else { return }
    // Pages beyond that are somebody else's, who grew the pool meanwhile.
    let excess = try min(standing - wanted, miscounted())
    if excess > 0 { try set(max(0, wanted - excess), until: deadline) }
  }

  /// How many pages too many the kernel leaves here: before 6.8 it takes the surplus of other nodes for
  /// pages of this one (mm/hugetlb.c, `set_max_huge_pages()`).
  private func miscounted() throws(HostError) -> Int {
    guard try kernel.version() < KernelVersion(major: 6, minor: 8) else { return 0 }
    let whole: HostPath = "/sys/kernel/mm/hugepages/\(folder.name)"
    let all = try kernel.number(of: "\(whole)/surplus_hugepages", as: .pages)
    return try max(0, all - number("surplus_hugepages"))
  }

  private func set(_ count: Int, until deadline: Deadline) throws(HostError) {
    try kernel.write("\(count)", to: "\(folder)/nr_hugepages", until: deadline)
  }

  private func number(_ name: String) throws(HostError) -> Int {
    try kernel.number(of: "\(folder)/\(name)", as: .pages)
  }
}
