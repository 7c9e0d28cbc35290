internal import Formats
internal import HostModel

extension FuzzTarget {
  /// The XML of a libvirt domain.
  static let domainXML = FuzzTarget(name: "domain") { bytes throws(BrokenPromise) in
    let read = read(bytes)
    try promise(read == Self.read(bytes), "what is read twice is the same")
    switch read {
    case .success(let domain):
      try checkNumbers(domain)
      try checkMemory(domain)
      try checkMetadata(domain)
      // In UTF-16 these bytes are no comment.
      if !bytes.contains(0) {
        let commented = Self.read(bytes + Array("<!-- -->".utf8))
        try promise(commented == read, "a comment after the domain means nothing")
      }
    case .failure(let error):
      let lines = bytes.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } + 1
      try promise((1...lines).contains(error.line) && error.column >= 1, "\(error) is in the text")
      try promise("\(error)".unicodeScalars.count <= 500, "the error fits on a line")
    }
  }

  private static func read(_ bytes: [UInt8]) -> Result<Domain, DomainXMLError> {
    Result { () throws(DomainXMLError) in try DomainXML.domain(from: bytes) }
  }

  private static func checkNumbers(_ domain: Domain) throws(BrokenPromise) {
    let vcpus = 0..<domain.vcpus
    try promise(!domain.name.isEmpty, "a domain has a name")
    try promise((1...CPUList.capacity).contains(domain.vcpus), "the number of vCPUs has bounds")
    try promise(domain.vcpuPins.keys.allSatisfy(vcpus.contains), "only vCPUs are pinned as such")
    try promise(
      domain.vcpusPinnedTogether.allSatisfy { domain.vcpuPins[$0] != nil },
      "vCPUs that are pinned together are pinned")
    let ids = domain.iothreadIDs
    try promise(ids.count == domain.iothreads, "each iothread has an id")
    try promise(
      ids.allSatisfy { $0 > 0 } && zip(ids, ids.dropFirst()).allSatisfy(<),
      "the ids of iothreads ascend")
    try promise(domain.iothreadPins.keys.allSatisfy(ids.contains), "only iothreads are pinned")
    let pins = Array(domain.vcpuPins.values) + Array(domain.iothreadPins.values)
    try promise((pins + [domain.emulatorPin ?? [0]]).allSatisfy { !$0.isEmpty }, "pins name CPUs")
  }

  private static func checkMemory(_ domain: Domain) throws(BrokenPromise) {
    let cells = domain.cells.map(\.id)
    try promise(zip(cells, cells.dropFirst()).allSatisfy(<), "the cells ascend")
    let sizes = domain.cells.map(\.memoryKiB) + domain.memoryDevices.map(\.sizeKiB)
    let pages = domain.cells.compactMap(\.pageKiB) + domain.memoryDevices.compactMap(\.pageKiB)
    try promise((sizes + pages).allSatisfy { $0 >= 0 }, "no amount of memory is negative")
    var bytes = 0
    for size in sizes {
      let sum = bytes.addingReportingOverflow(size)
      try promise(!sum.overflow && sum.partialValue <= Int.max / 1024, "memory can be added up")
      bytes = sum.partialValue
    }
  }

  private static func checkMetadata(_ domain: Domain) throws(BrokenPromise) {
    do throws(PolicyError) {
      _ = try PolicyFile.empty.policy(for: domain)
    } catch {
      throw BrokenPromise(description: "metadata alone makes the policy fail: \(error)")
    }
  }
}
