internal import Bytes

/// A page size as people write it: `2 MiB`, `1 GiB`, `4 KiB`.
package struct PageSize: CustomStringConvertible, Sendable {
  package var kiB: Int

  package init(kiB: Int) { self.kiB = kiB }

  /// The size that `2M`, `1024M`, `64k` or `1G` means: in the kernel's command line (`memparse()` in
  /// lib/cmdline.c) and among the options of a hugetlbfs mount (`hugetlbfs_show_options()` in
  /// fs/hugetlbfs/inode.c).
  ///
  /// `nil` for any other text, and for what is larger than 1 TiB.
  package init?(parsing text: some StringProtocol) {
    let units: [(suffix: String, kiB: Int)] = [("k", 1), ("m", 1 << 10), ("g", 1 << 20)]
    let size = text.lowercasedASCII
    for unit in units {
      guard let digits = size.rest(before: unit.suffix) else { continue }
      guard let number = Int(digits), (1...(1 << 30) / unit.kiB).contains(number) else { break }
      kiB = number * unit.kiB
      return
    }
    return nil
  }

  package var description: String {
    if kiB >= 1 << 20, kiB % (1 << 20) == 0 { return "\(kiB >> 20) GiB" }
    if kiB >= 1 << 10, kiB % (1 << 10) == 0 { return "\(kiB >> 10) MiB" }
    return "\(kiB) KiB"
  }
}
