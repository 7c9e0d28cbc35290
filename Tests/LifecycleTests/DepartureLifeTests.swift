import Bytes
import HostModel
import Ledger
import Lifecycle
import Port
internal import Recorded
import Support
import Testing

/// A function that leaves a VM which runs: taken out of it, given back by somebody, or pulled out of the host.
struct DepartureLifeTests {
  private static let nic = "0000:42:00.0"
  private static let device: HostPath = "/sys/bus/pci/devices/0000:42:00.0"

  private func domain(hasNIC: Bool = true) throws -> Domain {
    var domain = RecordedLife.domain("a", on: [5])
    let address = try #require(PCIAddress(Self.nic))
    if hasNIC {
      domain.functions = [PassedFunction(address: address, isManaged: false, kind: .hostdev)]
    }
    return domain
  }

  /// What the hypervisor says of the VM from now on.
  private func tell(_ life: RecordedLife, hasNIC: Bool = true) {
    #expect(throws: Never.self) {
      life.tell(try domain(hasNIC: hasNIC)) { $0.isolation = .none }
    }
  }

  /// A VM that runs with the function.
  private func started() throws -> RecordedLife {
    let life = try RecordedLife(
      """
      run/libvirt/qemu/a.pid\t40
      proc/40/stat\t40 (qemu) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0
      proc/40/cgroup\t0::/machine.slice/machine-qemu\\x2d1\\x2da.scope
      proc/40/cmdline\t/usr/bin/qemu-system-x86_64\\0-name\\0guest=a,debug-threads=on\\0\\c

      """)
    #expect(try life.play(.prepare, domain()) == [])
    #expect(try life.play(.started, domain()) == [])
    tell(life)
    #expect(try driver(life) == "vfio-pci")
    return life
  }

  private func driver(_ life: RecordedLife) throws -> String? {
    try life.host.kernel.target(of: "\(Self.device)/driver")
  }

  /// What `virsh nodedev-reattach` does, be it of libvirt's or somebody's own.
  private func giveBack(_ life: RecordedLife) throws {
    let kernel = life.host.kernel
    try kernel.write("\n", to: "\(Self.device)/driver_override")
    try kernel.write(Self.nic, to: "\(Self.device)/driver/unbind")
    try kernel.write(Self.nic, to: "/sys/bus/pci/drivers_probe")
    #expect(try driver(life) == "igb")
  }

  /// The VM leaves, and the host is as before.
  private func leave(_ life: RecordedLife) throws -> [String] {
    try life.host.remove("/proc/40")
    try life.host.remove("/run/libvirt/qemu")
    let said = try life.play(.release, domain())
    #expect(try life.ledger().isEmpty)
    return said
  }

  @Test func whatIsTakenOutOfAVMGoesBackWithIt() throws {
    let life = try started()
    #expect(try life.departures() == [])
    tell(life, hasNIC: false)
    #expect(try life.reconcile() == [])
    // Somebody may put it in again, which libvirt does only with a function that waits.
    #expect(try driver(life) == "vfio-pci")
    let departures = try life.departures()
    #expect(
      departures.map(\.description) == [
        "0000:42:00.0 was removed from a, which still runs: it stays on vfio-pci until a stops"
      ])
    tell(life)
    #expect(try life.departures() == [])
    tell(life, hasNIC: false)
    #expect(try leave(life) == [])
    #expect(try driver(life) == "igb")
    #expect(try life.difference(below: "/sys/bus/pci", "/sys/devices/pci0000:40") == [])
  }

  /// Another VM has been given it meanwhile, past any hook.
  @Test(arguments: ["/dev/vfio/21", "/dev/vfio/devices/vfio0"])
  func whatAnotherVMHasByNowIsGivenBackAfterThatOne(file: String) throws {
    let life = try started()
    try life.host.add("\(Self.device.below(.root))/vfio-dev/vfio0/\n")
    tell(life, hasNIC: false)
    try life.host.add(
      "proc/50/stat\t50 (qemu) S 1\nproc/50/comm\tqemu\nproc/50/fd/9 -> \(file)\n")
    try life.host.remove("/proc/40")
    try life.host.remove("/run/libvirt/qemu")
    let said = try life.play(.release, domain())
    #expect(said.contains { $0.contains("\(file) is open in qemu (process 50)") }, "\(said)")
    #expect(try driver(life) == "vfio-pci")
    #expect(try life.reconcile() != [])
    #expect(try driver(life) == "vfio-pci")
    try life.host.remove("/proc/50")
    #expect(try life.reconcile() == [])
    #expect(try driver(life) == "igb")
    #expect(try life.ledger().isEmpty)
  }

  @Test func whatSomebodyGivesBackIsLeftAlone() throws {
    let life = try started()
    tell(life, hasNIC: false)
    try giveBack(life)
    for _ in 1...2 {
      let said = try life.reconcile()
      #expect(said.count == 1 && said[0].contains("driver of 0000:42:00.0 reads “igb"), "\(said)")
      #expect(try driver(life) == "igb")
    }
    #expect(try life.departures() == [])
    #expect(try leave(life) == [])
    #expect(try driver(life) == "igb")
    #expect(try life.difference(below: "/sys/bus/pci", "/sys/devices/pci0000:40") == [])
  }

  @Test func whatIsPulledOutIsForgottenAndSaid() throws {
    let life = try started()
    try life.host.remove("/sys/bus/pci/devices/0000:42:00.0")
    #expect(
      try life.reconcile() == [
        "0000:42:00.0 has left the host: nothing of it is left to restore"
      ])
    #expect(try life.reconcile() == [])
    #expect(try life.ledger().holders.map(\.name) == ["a"])
    #expect(try leave(life) == [])
  }

  /// The kernel gives what comes back to the driver that takes it by itself: nobody puts it into the VM again.
  @Test func whatComesBackIsTheHosts() throws {
    let life = try started()
    let kernel = life.host.kernel
    let target = try kernel.destination(of: Self.device)
    try life.host.remove(Self.device)
    #expect(try life.reconcile().count == 1)
    try life.host.add("\(Self.device.below(.root)) -> \(target)\n")
    try giveBack(life)
    #expect(try life.reconcile() == [])
    #expect(try driver(life) == "igb")
    #expect(try leave(life) == [])
    #expect(try driver(life) == "igb")
  }

  @Test func whatCameBackBeforeAnybodyLookedIsTheHosts() throws {
    let life = try started()
    try giveBack(life)
    #expect(try life.reconcile().count == 1)
    #expect(try driver(life) == "igb")
    #expect(try leave(life) == [])
    #expect(try driver(life) == "igb")
  }

  @Test func whatIsPulledOutWhileTheVMStopsKeepsNobodyFromEnding() throws {
    let life = try started()
    try life.host.remove(Self.device)
    #expect(
      try leave(life) == [
        "0000:42:00.0 has left the host: nothing of it is left to restore"
      ])
  }
}
