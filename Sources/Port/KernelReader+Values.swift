package import Bytes
package import HostModel

extension KernelReader {
  /// A file as a text; a byte that is not UTF-8 comes out as U+FFFD, and spoils nothing else.
  package func text(of path: HostPath) throws(HostError) -> String {
    String(decoding: try bytes(of: path), as: UTF8.self)
  }

  /// A file's text without white space at its ends.
  package func word(of path: HostPath) throws(HostError) -> String {
    String(decoding: try bytes(of: path).trimmed, as: UTF8.self)
  }

  /// A file's text without white space at its ends; nil where there is no such file, nor can be as the
  /// path leads nowhere.
  package func wordIfPresent(of path: HostPath) throws(HostError) -> String? {
    if path.leadsNowhere { return nil }
    return try ifPresent { () throws(HostError) in try word(of: path) }
  }

  /// The decimal number that a file holds.
  ///
  /// - Throws: `EINVAL` for a number that there cannot be, as for no number.
  package func number(of path: HostPath, as quantity: Quantity) throws(HostError) -> Int {
    try number(in: word(of: path), of: path, as: quantity)
  }

  private func number(
    in word: String, of path: HostPath, as quantity: Quantity
  ) throws(HostError) -> Int {
    guard let number = quantity.number(word) else { throw HostError(noNumber: word, at: path) }
    return number
  }

  /// The number that a file holds of a counter without a sign, which the kernel lets fall below zero
  /// for a moment; 0 then.
  ///
  /// `resv_hugepages` does so while the pages of a process go: what was reserved is given up before
  /// the pages are freed that it is counted up again for (mm/hugetlb.c, `hugetlb_unreserve_pages()`
  /// and `free_huge_folio()`; seen on Linux 6.12).
  package func counter(of path: HostPath, as quantity: Quantity) throws(HostError) -> Int {
    let word = try word(of: path)
    if let counter = UInt64(word), counter > Int.max { return 0 }
    return try number(in: word, of: path, as: quantity)
  }

  /// The set that a file holds as a cpulist.
  package func list(of path: HostPath) throws(HostError) -> CPUList {
    let text = try word(of: path)
    do {
      return try CPUList(parsing: text)
    } catch {
      throw HostError(
        .read, path, errno: ErrorNumber.invalid.number, diagnosis: "\(error)")
    }
  }

  /// The set that a file holds as a cpulist, or else the file beside it as a mask, as kernels before
  /// such lists have it; nil where neither is there.
  package func listIfPresent(
    of path: HostPath, orMask mask: HostPath
  ) throws(HostError) -> CPUList? {
    if let list = try ifPresent({ () throws(HostError) in try list(of: path) }) { return list }
    guard let text = try wordIfPresent(of: mask) else { return nil }
    do {
      return try CPUList(parsingMask: text)
    } catch {
      throw HostError(
        .read, mask, errno: ErrorNumber.invalid.number,
        diagnosis: "“\(text.clipped(to: 60))” is not a mask of CPUs")
    }
  }

  /// The cgroup in the unified hierarchy that a `/proc/…/cgroup` tells, without its leading slash:
  /// empty for the root; nil where there is none.
  package func cgroup(at path: HostPath) throws(HostError) -> String? {
    let text = try wordIfPresent(of: path) ?? ""
    for line in text.lines {
      if let group = line.rest(after: "0::/") { return String(group) }
    }
    return nil
  }

  /// The names in a directory; none where there is no such directory.
  package func entriesIfPresent(of directory: HostPath) throws(HostError) -> [String] {
    if directory.leadsNowhere { return [] }
    return try ifPresent { () throws(HostError) in try entries(of: directory) } ?? []
  }

  /// The last component of a link's destination; nil where there is no such link.
  package func target(of link: HostPath) throws(HostError) -> String? {
    if link.leadsNowhere { return nil }
    let path = try ifPresent { () throws(HostError) in try destination(of: link) }
    return path?.fields(at: "/").last.map(String.init)
  }

  /// What `read` finds; nil where the place is not there.
  ///
  /// A place vanishes with its device or process at any moment: sysfs then answers `ENOENT` or
  /// `ENODEV`, procfs `ENOENT` or `ESRCH`.
  package func ifPresent<Found>(_ read: () throws(HostError) -> Found) throws(HostError) -> Found? {
    do {
      return try read()
    } catch {
      if error.isAbsence { return nil }
      throw error
    }
  }
}

extension HostError {
  /// Whether the error says that the place is not there, or not any more.
  package var isAbsence: Bool {
    let absences = [ErrorNumber.notFound, .noSuchProcess, .noDevice, .notDirectory]
    return absences.contains(ErrorNumber(errno))
  }
}
