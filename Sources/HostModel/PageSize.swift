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
    let units: [Character: Int] = [
      "K": 1, "k": 1, "M": 1 << 10, "m": 1 << 10, "G": 1 << 20, "g": 1 << 20,
    ]
    guard let last = text.last, let unit = units[last],
      let number = Int(text.dropLast()), (1...(1 << 30) / unit).contains(number)
    else { return nil }
    kiB = number * unit
  }

  package var description: String {
    if kiB >= 1 << 20, kiB % (1 << 20) == 0 { return "\(kiB >> 20) GiB" }
    if kiB >= 1 << 10, kiB % (1 << 10) == 0 { return "\(kiB >> 10) MiB" }
    return "\(kiB) KiB"
  }
}
