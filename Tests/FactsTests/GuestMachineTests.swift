import HostModel
import Testing

@testable import Formats

/// What a configuration says of its guest's hardware.
struct GuestMachineTests {
  private func machine(_ xml: String) throws -> GuestMachine {
    try DomainXML.machine(from: Array("<domain><name>win</name>\(xml)</domain>".utf8))
  }

  @Test func readsTypeAndTopology() throws {
    let machine = try machine(
      """
      <os><type machine='pc-q35-9.2'>hvm</type></os>
      <cpu mode='host-passthrough'><topology sockets='1' dies='2' clusters='2' cores='3' threads='2'/>
      <feature policy='require' name='topoext'/><feature policy='disable' name='vmx'/></cpu>
      """)
    #expect(machine.type == "pc-q35-9.2")
    #expect(machine.topology == GuestTopology(sockets: 1, dies: 2, cores: 6, threads: 2))
    #expect(machine.cpuFeatures == ["topoext"])
  }

  @Test func knowsAWindowsByWhatItIsCalledOrTold() throws {
    let osinfo = """
      <metadata><x:libosinfo xmlns:x="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <x:os id="http://microsoft.com/win/11"/></x:libosinfo></metadata>
      """
    #expect(try machine(osinfo).isWindows)
    #expect(try machine("<features><hyperv><relaxed state='on'/></hyperv></features>").isWindows)
    #expect(
      try !machine(osinfo.replacing("microsoft.com/win", with: "debian.org/debian")).isWindows)
    #expect(try !machine("").isWindows)
  }

  @Test func readsWhatAWindowsIsTold() throws {
    let told = try machine(
      """
      <features><hyperv mode='custom'><relaxed state='on'/><vapic state='off'/>
      <spinlocks state='on' retries='8191'/></hyperv></features>
      <clock><timer name='hypervclock' present='yes'/><timer name='hpet' present='no'/></clock>
      """
    ).enlightenments
    #expect(told.names == ["relaxed", "spinlocks"])
    #expect(told.hasClock && !told.areAllOn)
    #expect(
      try machine("<features><hyperv mode='passthrough'/></features>").enlightenments.areAllOn)
    #expect(
      try !machine("<clock><timer name='hypervclock' present='no'/></clock>").enlightenments
        .hasClock)
  }

  @Test func readsDisksAndTheirThreads() throws {
    let disks = try machine(
      """
      <devices>
      <disk type='file'><driver name='qemu' iothread='1'/><target dev='vda' bus='virtio'/></disk>
      <disk type='file'><driver name='qemu'/><target dev='vdb' bus='virtio'/></disk>
      <disk type='file'><driver><iothreads><iothread id='1'/></iothreads></driver>
        <target dev='vdc' bus='virtio'/></disk>
      <disk type='file'><target dev='sda' bus='scsi'/><address type='drive' controller='1'/></disk>
      <disk type='file'><target dev='sdb' bus='scsi'/><address type='drive' controller='0'/></disk>
      <disk type='file'><target dev='sdc' bus='sata'/></disk>
      <disk type='file' device='cdrom'><target dev='sdd' bus='sata'/></disk>
      <controller type='scsi' index='0' model='lsilogic'/>
      <controller type='scsi' index='1' model='virtio-scsi'><driver iothread='2'/></controller>
      </devices>
      """
    ).disks
    #expect(disks.map(\.name) == ["vda", "vdb", "vdc", "sda", "sdb", "sdc"])
    #expect(disks.map(\.canHaveIOThread) == [true, true, true, true, false, false])
    #expect(disks.map(\.hasIOThread) == [true, false, true, true, false, false])
  }

  @Test func readsWhereAGuestFindsItsFunctions() throws {
    let machine = try machine(
      """
      <devices><controller type='pci' index='0' model='pcie-root'/>
      <controller type='pci' index='5' model='pcie-root-port'/>
      <hostdev type='pci' managed='yes'><source><address bus='0x41' slot='0' function='0'/></source>
      <address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/></hostdev>
      <hostdev type='pci'><source><address bus='0x42' slot='0' function='0'/></source></hostdev>
      </devices>
      """)
    #expect(machine.buses == [0: "pcie-root", 5: "pcie-root-port"])
    let card = try #require(PCIAddress("0000:41:00.0"))
    #expect(machine.places == [card: .bus(5)])
  }

  @Test(arguments: [
    ("<memoryBacking><source type='memfd'/></memoryBacking>", true, false),
    ("<memoryBacking><locked/></memoryBacking>", false, true),
    ("", false, false),
  ])
  func readsWhatIsBehindItsMemory(xml: String, memfd: Bool, locked: Bool) throws {
    let machine = try machine(xml)
    #expect(machine.usesMemfd == memfd && machine.locksMemory == locked)
  }

  private func proxmox(_ lines: String) throws -> ProxmoxMachine {
    try ProxmoxMachine(Array(lines.utf8), named: "100.conf")
  }

  @Test func readsAMachineOfProxmox() throws {
    let found = try proxmox(
      """
      machine: pc-q35-9.0,viommu=virtio
      ostype: win11
      sockets: 1
      cores: 8
      cpu: host,flags=+pcid;+topoext
      args: -smp 8,sockets=1,cores=4,threads=2
      hookscript: local:snippets/berth
      scsihw: virtio-scsi-single
      scsi0: local-lvm:vm-100-disk-0,iothread=1,size=64G
      scsi1: local-lvm:vm-100-disk-1
      virtio0: local-lvm:vm-100-disk-2,iothread=1
      ide2: none,media=cdrom
      hostpci0: 0000:41:00,pcie=1
      hostpci1: 0000:42:00.1
      """)
    #expect(found.hookscript == "local:snippets/berth")
    #expect(found.machine.type == "pc-q35-9.0" && found.machine.isWindows)
    #expect(found.machine.topology == GuestTopology(sockets: 1, cores: 4, threads: 2))
    #expect(found.machine.cpuFeatures == ["pcid", "topoext"])
    #expect(found.machine.disks.map(\.name) == ["scsi0", "scsi1", "virtio0"])
    #expect(found.machine.disks.map(\.hasIOThread) == [true, false, true])
    let plain = try #require(PCIAddress("0000:42:00.1"))
    #expect(found.machine.places == [plain: .conventional])
  }

  @Test func takesTheDefaultsOfProxmox() throws {
    let found = try proxmox("cores: 4\nscsi0: local:disk,iothread=1\n")
    #expect(found.machine.type == "pc" && !found.machine.isWindows && found.hookscript == nil)
    #expect(found.machine.topology == GuestTopology(sockets: 1, cores: 4, threads: 1))
    // An iothread needs a controller for each disk.
    #expect(found.machine.disks.map(\.hasIOThread) == [false])
  }
}
