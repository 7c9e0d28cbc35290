internal import Formats
internal import HostModel

extension FuzzTarget {
  /// The policy file.
  static let policyFile = FuzzTarget(name: "policy") { bytes throws(BrokenPromise) in
    let text = String(decoding: bytes, as: UTF8.self)
    let file = PolicyFile(text, named: "berth.toml")
    let lines = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
    let found = file.problems.map(\.line)
    try promise(found.allSatisfy((1...lines).contains), "each problem is on a line of the file")
    try promise(zip(found, found.dropFirst()).allSatisfy(<=), "the problems are in order")
    for hypervisor in [Hypervisor.libvirt, .proxmox] { _ = file.cautions(on: hypervisor) }
    let policies = try policies(file)
    for policy in policies {
      if case .success(let policy) = policy { try checkBounds(policy.value) }
    }
    // A mark of the order of bytes is one at the beginning only.
    if text.unicodeScalars.first == "\u{feff}" { return }
    let lower = PolicyFile("# a comment\n" + text, named: "berth.toml")
    try promise(lower.problems.map(\.line) == found.map { $0 + 1 }, "a comment moves the problems")
    try promise(
      lower.problems.map(\.scope) == file.problems.map(\.scope), "a comment means nothing")
    try promise(
      try Self.policies(lower).map(\.policy) == policies.map(\.policy), "a comment decides nothing")
  }

  private static func policies(
    _ file: PolicyFile
  ) throws(BrokenPromise) -> [Result<DomainPolicy, PolicyError>] {
    var policies: [Result<DomainPolicy, PolicyError>] = []
    let uuid = "6f0ff3a1-0a2b-4c3d-8e4f-5a6b7c8d9e0f"
    for (hypervisor, name, id) in [
      (Hypervisor.libvirt, "vm", nil), (.libvirt, "win11", uuid), (.proxmox, "win11", "101"),
    ] {
      let domain = Domain(hypervisor: hypervisor, name: name, id: id, vcpus: 2)
      let policy = Result { () throws(PolicyError) in try file.policy(for: domain) }
      if case .failure(let error) = policy {
        try promise(!error.problems.isEmpty, "an error has a reason")
        try promise(error.isNamed == file.names(domain), "an error knows whom the file names")
        try promise(error.problems.allSatisfy(file.problems.contains), "the file has the problems")
      } else if file.problems.isEmpty == false {
        try promise(file.problems.allSatisfy { $0.scope != .file }, "a file with an error is none")
      }
      policies.append(policy)
    }
    return policies
  }

  private static func checkBounds(_ policy: Policy) throws(BrokenPromise) {
    let budgets = [
      policy.budgets.beforeStart, policy.budgets.running, policy.budgets.givingBack,
    ]
    try promise(budgets.allSatisfy((100...3_600_000).contains), "a budget has bounds")
    try promise((1...99).contains(policy.fifoPriority ?? 1), "a priority has bounds")
    try promise(!policy.pci.driver.utf8.contains(UInt8(ascii: "/")), "a driver is no path")
    let limits = policy.limits
    try promise((0...1 << 44).contains(limits.hostMemoryKiB ?? 0), "memory has bounds")
    try promise(limits.hostCPUCount >= 1, "a CPU stays with the host")
    let pins = policy.pins
    let pinned = pins.vcpus.values.reduce(pins.emulator ?? []) { $0.union($1) }
    try promise(limits.forbidden(among: pinned).isEmpty, "no pin is beyond the limits")
    let lists = Array(pins.vcpus.values) + Array(pins.iothreads.values) + [pins.emulator ?? [0]]
    try promise(lists.allSatisfy { !$0.isEmpty }, "pins name CPUs")
    try promise(pins.iothreads.keys.allSatisfy { $0 > 0 }, "iothreads are counted from 1")
  }
}

extension Result<DomainPolicy, PolicyError> {
  /// What a success decides; its warnings name lines.
  fileprivate var policy: Policy? { (try? get())?.value }
}
