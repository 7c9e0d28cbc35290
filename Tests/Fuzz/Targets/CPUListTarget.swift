internal import HostModel

extension FuzzTarget {
  /// The kernel's cpulists, libvirt's with exclusions, and the kernel's masks.
  static let cpuList = FuzzTarget(name: "cpulist") { bytes throws(BrokenPromise) in
    let text = String(decoding: bytes, as: UTF8.self)
    let list = read { () throws(CPUListError) in try CPUList(parsing: text) }
    let wider = read { () throws(CPUListError) in
      try CPUList(parsing: text, allowsExclusions: true)
    }
    let mask = read { () throws(CPUListError) in try CPUList(parsingMask: text) }
    if case .success(let list) = list {
      try promise(wider == .success(list), "libvirt's words are the kernel's and more")
    }
    for result in [list, wider, mask] {
      switch result {
      case .success(let list): try checkWriting(list)
      case .failure(let error):
        try promise(areSame(error.text, text), "the error names the text")
        try promise("\(error)".unicodeScalars.count <= 200, "the error fits on a line")
      }
    }
  }

  private static func read(
    _ body: () throws(CPUListError) -> CPUList
  ) -> Result<CPUList, CPUListError> { Result(catching: body) }

  private static func checkWriting(_ list: CPUList) throws(BrokenPromise) {
    let again = read { () throws(CPUListError) in try CPUList(parsing: "\(list)") }
    try promise(again == .success(list), "“\(list)” is read as what it was written from")
    let unmasked = read { () throws(CPUListError) in try CPUList(parsingMask: list.mask) }
    try promise(unmasked == .success(list), "“\(list.mask)” is read as what it was written from")
    try promise(CPUList(words: list.words) == list, "the words of “\(list)” make it up")
    let members = Array(list)
    try promise(CPUList(members) == list, "the members of “\(list)” make it up")
    try promise(members.count == list.count, "“\(list)” counts its members")
    try promise(zip(members, members.dropFirst()).allSatisfy(<), "“\(list)” is in order")
    try promise(members.allSatisfy { (0..<CPUList.capacity).contains($0) }, "“\(list)” has bounds")
  }
}
