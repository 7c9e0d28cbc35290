import Advice
import HostModel
import Testing

@testable import berth

/// Who has which CPUs of a host, by what runs there and by the ledger.
struct HostSurveyTests {
  private func topology(_ guests: [TopologyGuest], isolated: CPUList = []) -> Topology {
    var topology = Topology()
    for id in 0..<8 {
      var cpu = TopologyCPU(id: id, isOnline: true)
      cpu.siblings = [id % 4, id % 4 + 4]
      cpu.node = 0
      topology.cpus.append(cpu)
    }
    topology.guests = guests
    topology.isolatedCPUs = isolated
    return topology
  }

  @Test func knowsPinsByWhatThreadsMayUse() {
    let tenants = Tenant.all(
      on: topology([
        TopologyGuest(
          name: "pinned", vcpus: [0: [2], 1: [6]], iothreads: [1: [1, 5]], emulator: [1, 5]),
        // What isolation of the first leaves to everybody is no pin.
        TopologyGuest(name: "free", vcpus: [0: [0, 1, 3, 4, 5, 7]], emulator: [0, 1, 3, 4, 5, 7]),
        TopologyGuest(name: "range", vcpus: [0: [3, 7]], emulator: [0, 1, 2, 3, 4, 5, 6, 7]),
      ]), holding: [], own: [])
    #expect(
      tenants == [
        Tenant(name: "pinned", vcpus: [2, 6], service: [1, 5]),
        Tenant(name: "free", floats: true),
        Tenant(name: "range", vcpus: [3, 7]),
      ])
  }

  @Test func takesNothingFromADomainWithoutPins() {
    let all: CPUList = [0, 1, 2, 3, 4, 5, 6, 7]
    let own = TopologyGuest(name: "own", vcpus: [0: all, 1: [3]])
    #expect(own.pinnedCPUs == [3])
    let other = TopologyGuest(name: "other", vcpus: [0: all], emulator: all)
    #expect(
      Tenant.all(on: topology([other]), holding: [], own: own.pinnedCPUs)
        == [Tenant(name: "other", floats: true)])
  }

  @Test func addsWhoHoldsCPUsAndDoesNotRunYet() {
    let running = HolderID(hypervisor: .proxmox, id: "100")
    let coming = HolderID(hypervisor: .libvirt, id: "7d3c9a52-1f0e-4b6d-8a34-2c5be1907f11")
    let tenants = Tenant.all(
      on: topology([
        TopologyGuest(name: "100", vcpus: [0: [2]], hypervisor: .proxmox),
        TopologyGuest(name: "100", vcpus: [0: [4]]),
      ]),
      holding: [
        Holder(id: running, name: "web", vcpuCPUs: [2, 3]),
        Holder(id: coming, name: "gaming", vcpuCPUs: [6]),
      ], own: [])
    #expect(
      tenants == [
        Tenant(name: "100", vcpus: [2, 3]), Tenant(name: "100", vcpus: [4]),
        Tenant(name: "gaming", vcpus: [6]),
      ])
  }

  @Test(arguments: [
    ("16G", 16 << 20), ("16GiB", 16 << 20), ("16g", 16 << 20), ("16384M", 16 << 20),
    ("16777216KiB", 16 << 20), ("1T", 1 << 30), ("1M", 1024),
  ])
  func readsAmountsOfMemory(text: String, kiB: Int) throws {
    #expect(try MemorySize(text).kiB == kiB)
  }

  @Test(arguments: [
    "", "G", "16GB", "16 G", "-1", "1.5G", "0", "1K", "99999999T", "9999999999999999999G", "0x10",
    "１６G", "16384", "1",
  ])
  func refusesWhatIsNoAmount(text: String) {
    #expect(throws: (any Error).self) { try MemorySize(text) }
  }
}
