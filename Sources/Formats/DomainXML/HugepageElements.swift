internal import HostModel

/// What `<memoryBacking><hugepages>` says of each guest cell
/// (`qemuBuildMemoryGetPagesize()` in src/qemu/qemu_command.c).
struct HugepageElements {
  private var pagesOfCells: [Int: Int] = [:]
  /// The page of every cell that no `nodeset=` names; nil for ordinary pages.
  private var master: Int?

  /// Reads the pages of a domain with so many cells; 0 where the guest has no NUMA.
  init(_ domain: XMLElement, cells: Int) throws(DomainXMLError) {
    let hugepages = domain.elements("memoryBacking", "hugepages")
    if hugepages.isEmpty { return }
    let pages = hugepages.flatMap { $0.elements("page") }
    if pages.isEmpty { master = 0 }
    for page in pages {
      let sizeKiB = try page.memoryKiB("size") ?? 0
      guard let nodes = try page.cpus("nodeset"), cells > 0 || nodes != [0] else {
        master = sizeKiB
        continue
      }
      for cell in nodes where cell < cells {
        if pagesOfCells.updateValue(sizeKiB, forKey: cell) != nil {
          throw page.error("cell \(cell) is in the nodeset= of two <page>")
        }
      }
    }
  }

  /// The page size behind a cell; nil for ordinary pages, 0 for the host's default huge page size.
  func pageKiB(ofCell cell: Int?) -> Int? {
    (cell.flatMap { pagesOfCells[$0] } ?? master).flatMap(Self.huge)
  }

  /// A page size, unless it is that of ordinary pages: that is as if none were asked for.
  static func huge(_ pageKiB: Int) -> Int? { pageKiB == 4 ? nil : pageKiB }
}
