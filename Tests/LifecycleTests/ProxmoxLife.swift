import Bytes
import Facts
import Formats
import HostModel
import Ledger
import Lifecycle
import Port
import Recorded
import Support
import Tunings

/// Whether a guest runs, as its QEMU says.
final class GuestMonitor: QEMUMonitor {
  /// nil for a QEMU that does not answer.
  var isRunning: Bool? = false
  private(set) var questions = 0

  func roles(
    of domain: Domain, until deadline: Deadline
  ) throws(HostError) -> [Int: ThreadRole] { [:] }

  func hasBegun(_ domain: Domain, until deadline: Deadline) throws(HostError) -> Bool {
    questions += 1
    guard let isRunning else {
      throw HostError(.connect, "/run/qemu-server", errno: ErrorNumber.timedOut.number)
    }
    return isRunning
  }
}

/// The recorded node of Proxmox's, on which VM 100 runs with the threads of 4 vCPUs.
final class ProxmoxLife {
  let kernel: RecordedKernel
  let monitor = GuestMonitor()
  let units = RememberedUnits()
  let store = MemoryStore()
  private let folder = TemporaryDirectory()
  private var lifecycle: Lifecycle { makeLifecycle() }

  init(_ configuration: String) throws {
    kernel = RecordedKernel(root: folder.path)
    try RecordedHost(at: Workstation.file("proxmox-node.host")).unpack(into: folder.path)
    try configure(configuration)
  }

  private func makeLifecycle() -> Lifecycle {
    Lifecycle(
      kernel: kernel, systemd: RecordedSystemd(of: kernel), units: units, monitor: monitor,
      store: store, requests: { [self] _ in try request(.reconnect) })
  }

  /// Writes the configuration of VM 100.
  func configure(_ text: String) throws {
    let lines = text.split(separator: "\n").joined(separator: "\n\t")
    try RecordedHost(
      parsing: "etc/pve/nodes/host/qemu-server/100.conf\t\(lines)\n", from: "test"
    ).unpack(into: folder.path)
  }

  private func request(_ phase: Phase) throws -> Request? {
    let proxmox = ProxmoxHost(kernel: kernel)
    guard var domain = try proxmox.configuration(of: "100")?.domain else { return nil }
    _ = try proxmox.settle(&domain)
    var policy = Policy()
    policy.isolation = .none
    policy.interrupts.move = .never
    policy.kernelThreads = .never
    return Request(domain: domain, phase: phase, policy: policy)
  }

  /// Plays one phase; the warnings and failures of it.
  @discardableResult
  func play(_ phase: Phase) throws -> [String] {
    guard let request = try request(phase) else { return ["no configuration"] }
    return Self.words(of: try lifecycle.play(request, by: request.domain.holder))
  }

  func reconcile() throws -> [String] {
    Self.words(of: try lifecycle.reconcile(until: Deadline(nanoseconds: .max)))
  }

  private static func words(of outcome: Outcome) -> [String] {
    outcome.warnings + outcome.failures + outcome.drifts
  }

  /// The CPUs of each vCPU's thread.
  var pins: [String] {
    get throws { try (2003...2006).map { "\(try kernel.affinity(of: $0))" } }
  }

  /// The driver of the NIC.
  var driver: String {
    get throws { try kernel.destination(of: "/sys/bus/pci/devices/0000:02:00.0/driver") }
  }

  /// Its QEMU is gone.
  func end() throws {
    let overlay = try RecordedHost(parsing: "run/qemu-server/100.pid/\nproc/2000/\n", from: "test")
    try RecordedHost.remove(overlay: overlay, from: folder.path)
  }
}
