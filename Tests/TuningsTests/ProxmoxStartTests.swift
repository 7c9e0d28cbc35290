import HostModel
import Testing

@testable import Tunings

struct ProxmoxStartTests {
  private var domain: Domain {
    var domain = Domain(hypervisor: .proxmox, name: "web", id: "100", vcpus: 2)
    domain.proxmox = ProxmoxOptions(onlineVCPUs: 2)
    domain.proxmox?.refusals = [
      ProxmoxRefusal("numa needs …", fix: "qm set 100 --numa 1"),
      ProxmoxRefusal("no PCI device found for '0000:41:02'", fix: "name another", mayPass: true),
    ]
    return domain
  }

  @Test func whatProxmoxRefusesIsRefusedBefore() {
    let plan = Sample.plan(ProxmoxStart(), domain: domain)
    #expect(
      plan.refusals.map(\.description) == [
        "Proxmox does not start web: “numa needs …”; qm set 100 --numa 1",
        "Proxmox does not start web: “no PCI device found for '0000:41:02'”; name another",
      ])
    #expect(Sample.plan(ProxmoxStart(), .started, domain: domain).refusals.isEmpty)
    #expect(Sample.plan(ProxmoxStart()).refusals.isEmpty)
  }

  /// What is not there may be, once virtual functions are made.
  @Test func aDeviceThatMayComeIsNoReasonToRefuse() throws {
    let slot = try #require(PCISlot("0000:41:00"))
    var policy = Policy()
    policy.sriov.numbers = [Policy.SRIOV.Number(physical: "0000:41:00.0", count: 2)]
    let plan = Sample.plan(ProxmoxStart(), domain: domain, policy: policy)
    #expect(plan.refusals.count == 1 && plan.warnings.count == 1)
    policy = Policy()
    policy.pci.rescanned = [slot]
    #expect(Sample.plan(ProxmoxStart(), domain: domain, policy: policy).refusals.count == 1)
  }

  @Test func whatWaitsForTheNextStartIsSaid() {
    var domain = domain
    domain.proxmox?.refusals = []
    domain.proxmox?.pending = ["affinity", "cores"]
    #expect(Sample.plan(ProxmoxStart(), domain: domain).notes.joined().contains("affinity, cores"))
    domain.proxmox?.pending = []
    domain.proxmox?.waiting = ["memory"]
    #expect(Sample.plan(ProxmoxStart(), domain: domain).notes.joined().contains("hibernated"))
  }

  /// For a backup nobody else's VM ends, and no start is refused for want of isolation.
  @Test func aStartForABackupIsPlannedForWhatItNeeds() {
    var domain = domain
    domain.proxmox?.refusals = []
    func tunings() -> [String] {
      let request = Request(domain: domain, phase: .prepare, policy: Policy())
      return catalog.filter { !(request.guestWaits && $0.servesGuest(in: .prepare)) }
        .map { type(of: $0).name }
    }
    let all = tunings()
    domain.proxmox?.lock = "backup"
    #expect(
      all.filter { !tunings().contains($0) } == ["companions", "isolation", "vcpu-scheduler"])
    let kept = catalog.filter { !$0.servesGuest(in: .started) }
    #expect(kept.map { type(of: $0).name } == ["hugepages"])
  }
}
