internal import Formats
internal import HostModel

extension FuzzTarget {
  /// The configurations of Proxmox, of which users write lines by hand.
  static let proxmoxConf = FuzzTarget(name: "proxmox") { bytes throws(BrokenPromise) in
    let first: ProxmoxConf
    switch read(bytes) {
    case .success(let conf): first = conf
    case .failure(let problem):
      try promise(problem.line >= 1, "a problem has a line")
      return
    }
    let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
    try promise(
      first.warnings.allSatisfy { (1...lines).contains($0.line) }, "warnings are about lines")
    try promise(
      first.warnings.allSatisfy { "\($0)".unicodeScalars.count <= 1_000 }, "a warning has an end")
    let domain = first.domain
    try promise((1...100_000).contains(domain.vcpus), "the number of vCPUs has bounds")
    try promise(domain.cells.allSatisfy { $0.memoryKiB >= 0 }, "memory is not negative")
    let total = domain.cells.reduce(0) { $0.addingReportingOverflow($1.memoryKiB).partialValue }
    try promise(total >= 0, "memory can be summed")
    let snapshot = Array("\n[snapshot]\nmemory: 1\ncores: 99\n".utf8)
    try promise(
      read(bytes + snapshot) == .success(first), "a section at the end does not run")
    if let next = try? ProxmoxConf(bytes, named: "100.conf", vmid: "100", atNextStart: true) {
      try promise((1...100_000).contains(next.domain.vcpus), "so has that at the next start")
      let refusals = next.domain.proxmox?.refusals ?? []
      try promise(
        refusals.allSatisfy { !$0.words.isEmpty && !$0.fix.isEmpty }, "refusals have words")
    }
    var settled = domain
    settled.settle(offering: [2048, 1 << 20], present: [])
    try promise(settled == domain, "what is settled is settled")
  }

  private static func read(_ bytes: [UInt8]) -> Result<ProxmoxConf, ProxmoxProblem> {
    Result { () throws(ProxmoxProblem) in try ProxmoxConf(bytes, named: "100.conf", vmid: "100") }
  }
}
