import HostModel
import Ledger
import Lifecycle
internal import Recorded
import Support
import Testing
import Tunings

/// A VM that asks for nothing has no part in what others hold, and costs them nothing.
struct UninvolvedTests {
  /// A ledger of which only the head is to be read.
  private final class HeadStore: LedgerStore {
    var ledger = Ledger()
    var loads = 0
    var saves = 0

    func load() throws(LedgerError) -> Ledger {
      loads += 1
      return ledger
    }

    func loadHead() throws(LedgerError) -> LedgerHead { LedgerHead(of: ledger) }

    func save(_ ledger: Ledger) throws(LedgerError) {
      saves += 1
      self.ledger = ledger
    }

    func withLock<Result>(
      _ lock: LedgerLock, until deadline: Deadline, _ body: () throws -> Result
    ) throws -> Result { try body() }
  }

  private static let plain = Domain(hypervisor: .libvirt, name: "plain", id: "plain", vcpus: 1)

  private func request(_ phase: Phase) -> Request {
    var policy = Policy()
    policy.isolation = .none
    return Request(domain: Self.plain, phase: phase, policy: policy)
  }

  private func entry(_ verdict: String? = nil) -> Entry {
    Entry(
      setting: .attribute(path: "/proc/sys/vm/swappiness", .text), original: .text("60"),
      claims: [
        HeldClaim(
          holder: HolderID(hypervisor: .libvirt, id: "other"), claim: .exactly(.text("1")),
          reason: "test")
      ], verdict: verdict)
  }

  private func store(holderSince seconds: Int, _ entry: Entry) -> HeadStore {
    let store = HeadStore()
    store.ledger.holders = [
      Holder(id: HolderID(hypervisor: .libvirt, id: "other"), name: "other", since: seconds)
    ]
    store.ledger.entries = [entry]
    return store
  }

  private func lifecycle(_ host: Workstation, _ store: HeadStore) -> Lifecycle {
    Lifecycle(kernel: host.kernel, systemd: host.systemd, store: store)
  }

  private let id = HolderID(hypervisor: .libvirt, id: "plain")

  @Test(arguments: [Phase.prepare, .start, .started, .reconnect, .stopped, .release])
  func theHeadIsEnough(phase: Phase) throws {
    let host = try Workstation()
    let store = store(holderSince: Int.max / 2, entry())
    #expect(try lifecycle(host, store).play(request(phase), by: id) == Outcome())
    #expect(store.loads == 0 && store.saves == 0)
  }

  @Test(arguments: [Phase.prepare, .release])
  func whatSomebodyHasToSeeToIsSeenTo(phase: Phase) throws {
    let host = try Workstation()
    let store = store(holderSince: Int.max / 2, entry("EIO"))
    _ = try lifecycle(host, store).play(request(phase), by: id)
    #expect(store.loads > 0)
  }

  /// A phase, whether something is left to do, and whether its work is begun where nothing can end the VM.
  @Test(arguments: [
    (Phase.prepare, true, false), (.start, true, false), (.stopped, true, false),
    (.started, false, false), (.reconnect, false, false), (.release, false, false),
    (.release, true, true),
  ])
  func workIsBegunByWhatMayNotRefuseAndHasSome(phase: Phase, hasWork: Bool, begins: Bool) throws {
    let host = try Workstation()
    let store = store(holderSince: Int.max / 2, entry(hasWork ? "EIO" : nil))
    var begun = 0
    let lifecycle = Lifecycle(
      kernel: host.kernel, systemd: host.systemd, store: store, beginWork: { begun += 1 })
    _ = try lifecycle.play(request(phase), by: id)
    #expect(begun == (begins ? 1 : 0))
  }

  @Test(arguments: [Phase.started, .reconnect])
  func workForAVMThatAsksForSomethingIsBegunOnce(phase: Phase) throws {
    let host = try Workstation()
    var begun = 0
    let lifecycle = Lifecycle(
      kernel: host.kernel, systemd: host.systemd, store: HeadStore(), beginWork: { begun += 1 })
    var request = request(phase)
    request.domain.vcpuPins = [0: [5]]
    _ = try lifecycle.play(request, by: id)
    #expect(begun == 1)
  }

  @Test(arguments: [Phase.prepare, .release])
  func aVMThatIsGoneIsReleased(phase: Phase) throws {
    let host = try Workstation()
    let store = store(holderSince: -10_000, entry())
    _ = try lifecycle(host, store).play(request(phase), by: id)
    #expect(store.ledger.isEmpty)
  }
}
