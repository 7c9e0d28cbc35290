import HostModel
import Ledger
import Testing

/// A ledger that an older Berth wrote while VMs were in is read by the next one, and nothing of it is
/// lost.
struct LedgerText1Tests {
  /// As version 1 wrote it on a host with two VMs, one of them prepared.
  private static let recorded = """
    berth-ledger 1
    boot 5e1a3f6e-4b9d-4f8b-9a0c-1d2e3f405162
    holder libvirt:7d3c9a52-1f0e-4b6d-8a34-2c5be1907f11 gaming - 812 77 5-7,13-15 12
    holder proxmox:100 deck 900 80 - 4 20
    entry hugepages 1 2048 count 0 count 8192 - - - -
    claim libvirt:7d3c9a52-1f0e-4b6d-8a34-2c5be1907f11 more 8192 8192 its%20memory
    entry attribute cpulist /proc/irq/24/smp_affinity_list cpus 0-15 cpus 0-3,8-12 - - - -
    claim libvirt:7d3c9a52-1f0e-4b6d-8a34-2c5be1907f11 without-cpus 5-7,13-15 0-4,8-12 nvme0q1%20would
    claim proxmox:100 without-cpus 4 0-3,8-12 nvme0q1%20would%20too
    entry driver 0000:0b:00.3 driver xhci_hcd - - - - - it%20hung
    claim proxmox:100 alone driver vfio-pci vfio-pci its%20port
    entry scheduler 812 820 77 vcpu:3 scheduler 0 0 inherited - scheduler 0 0 inherited scheduler 1 1 reset-on-fork - -
    end 12 e6d30538

    """

  @Test func nothingIsLost() throws {
    let (ledger, boot) = try LedgerText.decode(Array(Self.recorded.utf8))
    #expect(boot == "5e1a3f6e-4b9d-4f8b-9a0c-1d2e3f405162")
    #expect(ledger.holders.map(\.name) == ["gaming", "deck"])
    #expect(ledger.entries.map(\.claims.count) == [1, 2, 1, 0])
    let interrupt = ledger.entries[1]
    #expect(interrupt.written == .cpus(CPUList([0, 1, 2, 3, 8, 9, 10, 11, 12])))
    #expect(try interrupt.resolved() == interrupt.written)
    #expect(interrupt.claims.map(interrupt.reason) == ["nvme0q1 would", "nvme0q1 would too"])
    #expect(ledger.entries[2].verdict == "it hung")
    #expect(ledger.entries[3].intent?.to == .scheduler(.fifo(priority: 1)))
  }

  @Test func itIsWrittenAsTheNextVersion() throws {
    let (ledger, boot) = try LedgerText.decode(Array(Self.recorded.utf8))
    let text = LedgerText.encode(ledger, boot: boot)
    #expect(text.starts(with: "berth-ledger 4\n".utf8))
    let again = try LedgerText.decode(text)
    #expect(again.ledger == ledger && again.boot == boot)
  }

  @Test func itHasNoHead() throws {
    #expect(try LedgerText.head(in: Array(Self.recorded.utf8)) == nil)
  }
}
