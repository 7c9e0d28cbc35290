import HostModel
import Ledger
import Testing

/// What is written must come back as it was, and nothing that was not written may pass for it.
struct LedgerTextTests {
  private var sample: Ledger {
    let thread = HostThread(pid: 812, tid: 820, startTime: 77, role: .vcpu(3))
    let function = address
    let holder = HolderID(hypervisor: .libvirt, id: "2b0c-…")
    var ledger = Ledger()
    ledger.holders = [
      Holder(
        id: holder, name: "-rf /\n\t%", hook: ProcessIdentity(pid: 1, startTime: .max),
        process: nil, vcpuCPUs: [4, 5], since: 12),
      Holder(id: HolderID(hypervisor: .proxmox, id: "100"), name: ""),
    ]
    let misses = [Miss("vCPU partitions", because: "a b\n"), Miss("", because: "-")]
    ledger.holders[0].attained = [
      Attainment("isolation", rung: nil, misses: misses), Attainment("", rung: "-"),
    ]
    let values: [Value] = [
      .text(""), .text("-"), .text("always [madvise] never"), .cpus([]), .cpus([0, 9]),
      .count(-1), .driver(DriverBinding(driver: nil, override: "vfio-pci")),
      .allowedCPUs(AllowedCPUs(cpus: [1], hasRuntimeDropIn: true)),
      .scheduler(.fifo(priority: 1)), .activity(.stopping), .activity(.active),
      .count(2), .text("69"),
      .functions([
        SlotFunction(
          address: function, binding: DriverBinding(driver: "igb", override: nil),
          attributes: [SlotFunction.Attribute(name: "power/control", text: "on ")])
      ]),
      .driver(DriverBinding(driver: "efi-framebuffer", override: nil)),
      ModuleState.loaded, .text("1"), .text("auto"),
    ]
    var service = OwnService(
      unit: "berth-x.service", title: "a\nb", manner: .awaited, command: ["/bin/x", "", "-"])
    service.undo = [["/bin/y"], []]
    service.environment = ["A=b c"]
    service.boundTo = "x\\x2d.scope"
    let settings: [Setting] = [
      .attribute(path: "/sys/a b", .text), .attribute(path: "/c", .cpuMask), Sample.pool,
      Sample.card, Sample.slice, .affinity(thread), .scheduler(thread), Sample.irq,
      .affinity(HostThread(pid: 1, tid: 1, startTime: 0, role: .emulator)),
      .service(unit: "gdm.service"), .ownService(service),
      .virtualFunctions(of: function),
      .virtualFunction(VirtualFunction(of: function, index: 3), .spoofCheck),
      .slot(PCISlot(of: function)),
      .platformDriver("efi-framebuffer.0"), .module("nvidia_drm"),
      .console("(M) frame buffer device"), Crowd.sleep,
      .coupled(.dirtyBackground),
    ]
    let process = ProcessIdentity(pid: 7, startTime: 9)
    let address = PCIAddress("0000:41:00.0")
    let later: [Setting] =
      [.coreCookie(process), .balancedOff(process), .every(.balancers)]
      + (address.map { address in
        let interrupt = PassedInterrupt(number: 60, function: address)
        return [
          .interrupt(interrupt), .balancing(interrupt, by: process),
          .every(.interrupts(of: address)), .every(.balancing(of: address)),
        ]
      } ?? [])
    ledger.entries += later.map { Entry(setting: $0, original: .cpus([])) }
    let claims: [Claim] = [
      .exactly(.text("x")), .alone(Sample.vfio), .withoutCPUs([1], all: [0, 1]), .withCPUs([2]),
      .more(3, need: 4), .atLeast(5), .atMost(-6),
    ]
    for (setting, value) in zip(settings, values) {
      var entry = Entry(setting: setting, original: value, written: values[0], foreign: value)
      entry.intent = Intent(from: value, to: values[1])
      entry.verdict = "it hung"
      entry.subject = "nvme0q1, -"
      entry.claims = Claims(
        claims.map {
          HeldClaim(
            holder: holder, claim: $0, reason: "why not", beginsWithSubject: $0 == .withCPUs([2]))
        })
      ledger.entries.append(entry)
    }
    ledger.entries.append(Entry(setting: Sample.governor, original: .text("powersave")))
    return ledger
  }

  private var address: PCIAddress {
    guard case .driver(let address) = Sample.card else { preconditionFailure("no card") }
    return address
  }

  @Test func bringsBackWhatWasWritten() throws {
    let text = LedgerText.encode(sample, boot: "b00t")
    let read = try LedgerText.decode(text)
    #expect(read.ledger == sample && read.boot == "b00t")
    #expect(LedgerText.encode(Ledger(), boot: "") == LedgerText.encode(Ledger(), boot: ""))
  }

  @Test func noTruncatedTextPasses() {
    let text = LedgerText.encode(sample, boot: "b")
    for length in 0..<text.count {
      #expect(throws: LedgerTextError.self) { try LedgerText.decode(Array(text[..<length])) }
    }
  }

  @Test func noTextWithAFlippedBitPasses() {
    var short = sample
    short.holders.removeLast()
    short.entries = [short.entries[6]]
    let text = LedgerText.encode(short, boot: "b")
    for index in text.indices {
      for bit in 0..<7 {
        var damaged = text
        damaged[index] ^= 1 << UInt8(bit)
        #expect(throws: LedgerTextError.self) { try LedgerText.decode(damaged) }
      }
    }
  }

  @Test func aNewerVersionIsNamedAndNotRead() {
    let text = String(decoding: LedgerText.encode(sample, boot: "b"), as: UTF8.self).replacing(
      "berth-ledger 4", with: "berth-ledger 5")
    #expect(throws: LedgerTextError.newer(version: "5")) {
      try LedgerText.decode(Array(text.utf8))
    }
    #expect(throws: LedgerTextError.newer(version: "5")) {
      try LedgerText.head(in: Array(text.utf8))
    }
  }
}
