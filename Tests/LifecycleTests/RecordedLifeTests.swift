import Bytes
import HostModel
import Ledger
import Lifecycle
import Port
internal import Recorded
import Support
import Testing
import Tunings

/// One domain's whole life on the recorded host, by the code that a hook runs.
struct RecordedLifeTests {
  private func domain() throws -> Domain {
    var domain = Workstation.pinnedDomain
    domain.cells = [
      GuestCell(id: 0, memoryKiB: 16_777_216, pageKiB: 2048, hostNodes: [1], mode: .strict)
    ]
    domain.functions = try ["0000:41:00.0", "0000:41:00.1"].map { address in
      PassedFunction(
        address: try #require(PCIAddress(address)), isManaged: false, kind: .hostdev)
    }
    return domain
  }

  /// What the host says of itself, without the ledger and without empty folders.
  private func contents(of path: HostPath, _ host: Workstation) throws -> [String] {
    var lines: [String] = []
    for name in try host.kernel.entries(of: path) {
      let place: HostPath = "\(path)/\(name)"
      if place == "/recorded" { continue }
      if let target = try? host.kernel.destination(of: place) {
        lines.append("\(place) -> \(target)")
      } else if let text = try? host.kernel.text(of: place) {
        lines.append("\(place): \(text)")
      } else {
        lines += try contents(of: place, host)
      }
    }
    return lines
  }

  @Test(arguments: [Policy.Isolation.auto, .partition, .slices, .none])
  func aDomainComesInAndLeavesTheHostAsItWas(isolation: Policy.Isolation) throws {
    let host = try Workstation()
    let before = try contents(of: .root, host)
    let lifecycle = Lifecycle(
      kernel: host.kernel, systemd: host.systemd, store: MemoryStore(), observe: { _ in })
    let domain = try domain()
    let holder = HolderID(hypervisor: .libvirt, id: try #require(domain.id))
    var policy = Policy()
    policy.isolation = isolation
    let play = { (phase: Phase) in
      _ = try lifecycle.play(
        Request(domain: domain, phase: phase, policy: policy), by: holder)
    }

    #expect(throws: HostError.self) { try host.startGaming() }
    try play(.prepare)
    try play(.start)
    try host.startGaming()
    try play(.started)
    let word = { (path: String) in try host.word("/sys/\(below: path)") }
    #expect(
      try host.kernel.destination(of: "/sys/bus/pci/devices/0000:41:00.0/driver")
        .hasSuffix("/vfio-pci"))
    let free = isolation == .none ? "0-15" : "0-4,8-12"
    #expect(try word("fs/cgroup/system.slice/cpuset.cpus.effective") == free)
    #expect(try host.kernel.affinity(of: 4260) == [5])
    try play(.stopped)
    try host.stopGaming()
    try play(.release)

    // Once set, `cpuset.cpus` cannot be emptied while its cgroup is populated: it names all CPUs.
    let after = try contents(of: .root, host).map { line in
      line.hasSuffix("/cpuset.cpus: 0-15\n") ? String(line.dropLast(5)) + "\n" : line
    }
    #expect(after.filter { !before.contains($0) } == [])
    #expect(before.filter { !after.contains($0) } == [])
  }
}
