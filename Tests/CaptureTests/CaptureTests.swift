import Bytes
import HostModel
import Ledger
import Support
import Testing
import Tunings

@testable import Capture
@testable import Facts
@testable import Formats
@testable import Live
@testable import Recorded

/// What a capture keeps of a host, and what not.
struct CaptureTests {
  private func capture(_ host: Workstation, whole: Bool = false) throws -> RecordedHost {
    var capture = HostCapture(kernel: host.kernel, units: host.systemd)
    capture.keepsIdentities = whole
    return try capture.record().host
  }

  /// The host that a capture stands for.
  private func unpacked(_ record: RecordedHost) throws -> (TemporaryFolder, RecordedKernel) {
    let folder = try TemporaryFolder()
    try record.unpack(into: folder.path)
    return (folder, RecordedKernel(root: folder.path))
  }

  @Test func hasTheSameFactsAsTheHost() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    let (folder, kernel) = try unpacked(try capture(host))
    defer { withExtendedLifetime(folder) {} }
    let functions = try TopologyReader(kernel: host.kernel).topology().functions.map(\.address)
    var needs = FactNeeds()
    needs.cpus = true
    needs.cores = true
    needs.nodes = true
    needs.functions = functions
    needs.displays = true
    needs.units = true
    needs.realtimeLimit = true
    needs.interrupts = true
    needs.pinnedTasks = true
    needs.process = true
    needs.kernelWork = .always
    needs.modules = ["nouveau", "snd_hda_intel", "vfio_pci"]
    needs.idleCPUs = CPUList(0...15)
    needs.frequencyCPUs = CPUList(0...15)
    needs.boost = true
    needs.attributes = ["/proc/sys/kernel/sched_rt_runtime_us"]
    let facts = try [host.kernel, kernel].map { kernel in
      try FactReader(kernel: kernel, units: nil).facts(for: Workstation.domain, needing: needs)
    }
    let areSame = facts[0] == facts[1]
    #expect(areSame)
  }

  @Test func isTheSameAgainOfItself() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    let record = try capture(host)
    let (folder, kernel) = try unpacked(record)
    defer { withExtendedLifetime(folder) {} }
    let again = try HostCapture(kernel: kernel, units: nil).record()
    let isSame = again.host.text == record.text
    #expect(isSame)
    #expect(again.failures.isEmpty)
  }

  @Test(arguments: [
    ("52:54:00:aa:bb:cc", "02:00:00:00:00:01"),
    ("a 52:54:00:AA:bb:cc, 52:54:00:aa:bb:cd.", "a 02:00:00:00:00:01, 02:00:00:00:00:02."),
    ("enx525400aabbcc-tx-0", "enx020000000001-tx-0"),
    ("00:00:00:00:00:00 ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00 ff:ff:ff:ff:ff:ff"),
    ("0000:01:00.0 and 12:34:56", "0000:01:00.0 and 12:34:56"),
    ("fe:52:54:00:aa:bb:cc", "fe:52:54:00:aa:bb:cc"),
  ])
  func hidesMACs(text: String, hidden: String) {
    var disguise = Disguise()
    #expect(disguise.withoutMACs(text) == hidden)
  }

  @Test func hidesWhatBelongsTogetherAlike() {
    var disguise = Disguise()
    #expect(disguise.withoutMACs("52:54:00:aa:bb:cc") == "02:00:00:00:00:01")
    #expect(disguise.withoutMACs("enx525400aabbcc") == "enx020000000001")
    let uuid = "6f1a52c6-9a3c-4c8b-8a52-3f1a0a7c11d0"
    #expect(disguise.withoutUUIDs("luks-\(uuid)") == "luks-00000000-0000-0000-0000-000000000001")
  }

  @Test func keepsOfThePolicyWhatDecidesAndNothingElse() throws {
    let text = """
      # secret one
      [defaults] # secret two
      "pci.x" = 1
      services.stop = ["a", "b"] # secret three
      commands = [ # secret four
        { at = "started", run = ["/bin/x", "secret", 'secret # five'], undo = ["/bin/y", \"\"\"secret
      six\"\"\"] }, # secret seven
      ]
      settings = { "vm.swappiness" = 10 }
      [vm."a # b"]
      commands = [{ run = ["/bin/z"] }]
      [[vm.c.commands]]
      run = ["/bin/w", "secret"]
      [vm.d]
      pci.bind = ["0000:0b:00.0", "0000:0b:00.1"]

      """
    let kept = try #require(PolicyRedaction.text(of: text))
    #expect(!kept.contains("secret"), "\(kept)")
    #expect(
      kept.split(separator: "\n", omittingEmptySubsequences: false).count
        == text.split(separator: "\n", omittingEmptySubsequences: false).count)
    for word in [
      "/bin/x", "/bin/y", "/bin/z", "/bin/w", "started", "\"b\"", "vm.swappiness", "a # b",
      "0000:0b:00.1",
    ] {
      #expect(kept.contains(word), "\(word) is missing: \(kept)")
    }
    #expect(PolicyRedaction.text(of: "no toml") == nil)
    #expect(PolicyRedaction.text(of: kept) == kept)
  }

  @Test func keepsTheParametersThatMatter() {
    let line = "BOOT_IMAGE=/vmlinuz root=UUID=1-2 ip=10.0.0.1 isolcpus=2-3 amd_iommu=on quiet\n"
    #expect(Redaction.bootParameters(line, "") == "isolcpus=2-3 amd_iommu=on\n")
  }

  @Test func keepsOfADomainWhatIsRead() throws {
    let bytes = try FileText.bytes(Workstation.file("gaming.xml"))
    let text = try DomainXML.redacted(bytes)
    #expect(try DomainXML.domain(from: Array(text.utf8)) == DomainXML.domain(from: bytes))
    #expect(try DomainXML.machine(from: Array(text.utf8)) == DomainXML.machine(from: bytes))
    for secret in ["<mac", "path", "serial", "file=", "title", "<graphics"] {
      #expect(!text.contains(secret), "\(secret) is in it")
    }
  }

  @Test func keepsOfQEMUsArgumentsTheDevicesAlone() throws {
    let xml = """
      <domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><name>vm</name><devices>
      <hostdev type='pci'><driver model='mlx5_vfio_pci'/><source><address bus='1'/></source></hostdev>
      <hostdev type='mdev'><source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source></hostdev>
      </devices><q:commandline><q:arg value='-object'/><q:arg value='secret,id=s,data=secret'/>
      <q:arg value='-device'/><q:arg value='vfio-pci,host=02:00.0,x-secret=1'/>
      <q:env name='SECRET' value='secret'/></q:commandline></domain>
      """
    let text = try DomainXML.redacted(Array(xml.utf8))
    #expect(try DomainXML.domain(from: Array(text.utf8)) == DomainXML.domain(from: Array(xml.utf8)))
    #expect(!text.lowercased().contains("secret"))
  }

  @Test func keepsOfDisksAndKeyboardsWhatIsRead() throws {
    let host = try Workstation()
    try host.add(
      """
      run/udev/data/b259:5\tS:disk/by-id/SECRET
      \tE:ID_SERIAL=SECRET
      \tE:ID_FS_TYPE=zfs_member
      sys/devices/virtual/block/dm-0/dm/uuid\tLVM-SECRET
      sys/kernel/config/target/core/iblock_0/d/udev_path\t/dev/disk/by-id/SECRET
      proc/bus/input/devices\tI: Bus=0003
      \tN: Name="K"
      \tP: Phys=SECRET
      \tS: Sysfs=/devices/pci0000:40/0000:43:00.0/usb3/input5
      \tU: Uniq=SECRET
      \tH: Handlers=kbd

      """)
    let record = try capture(host)
    #expect(!record.text.contains("SECRET"))
    let (folder, kernel) = try unpacked(record)
    defer { withExtendedLifetime(folder) {} }
    var needs = FactNeeds()
    needs.functions = [try #require(PCIAddress("0000:43:00.0"))]
    let uses = try [host.kernel, kernel].map { kernel in
      try FactReader(kernel: kernel).facts(for: Workstation.domain, needing: needs).functions
        .flatMap(\.hostUses)
    }
    #expect(uses[0] == uses[1] && uses[0].map(\.description).contains { $0.contains("LVM's") })
  }

  @Test func keepsOfAGuestWhatDoctorReads() throws {
    let xml = """
      <domain><name>win</name><metadata>
      <x:libosinfo xmlns:x="http://libosinfo.org/xmlns/libvirt/domain/1.0"><x:os id="http://microsoft.com/win/11"/>
      </x:libosinfo></metadata>
      <os><type machine='pc-q35-9.2'>hvm</type><nvram>/secret/path</nvram><cmdline>password=secret</cmdline></os>
      <features><hyperv mode='custom'><relaxed state='on'/></hyperv></features>
      <clock><timer name='hypervclock' present='yes'/></clock>
      <memoryBacking><source type='memfd'/><locked/></memoryBacking>
      <devices><controller type='scsi' index='1' model='virtio-scsi'><driver iothread='2'/></controller>
      <disk type='file'><driver name='qemu'/><source file='/secret'/><target dev='sda' bus='scsi'/>
      <serial>secret</serial><address type='drive' controller='1'/></disk>
      <hostdev type='pci'><source><address bus='0x41'/></source><address type='pci' bus='0x05'/></hostdev>
      </devices></domain>
      """
    let text = try DomainXML.redacted(Array(xml.utf8))
    let machine = try DomainXML.machine(from: Array(text.utf8))
    #expect(try machine == DomainXML.machine(from: Array(xml.utf8)))
    #expect(machine.isWindows && machine.locksMemory && machine.disks.map(\.hasIOThread) == [true])
    #expect(!text.contains("secret"))
  }

  @Test func keepsOfAVirtualMachineWhatIsRead() throws {
    let conf = """
      #notes of somebody
      name: web
      cores: 4
      memory: 4096
      numa: 1
      numa0: cpus=0-3,hostnodes=0,memory=4096,policy=bind
      hostpci0: 0000:01:00,pcie=1,romfile=secret.rom
      scsihw: virtio-scsi-single
      scsi0: secret:vm-100-disk-0,iothread=1,serial=SECRET
      net0: virtio=52:54:00:AA:BB:CC,bridge=vmbr0
      args: -vnc 0.0.0.0:1,password=secret -smp 4,threads=2
      cipassword: secret
      """
    let text = try #require(Redaction.virtualMachine(conf, "100.conf"))
    #expect(!text.lowercased().contains("secret") && !text.contains("52:54"))
    var one = try ProxmoxConf(Array(conf.utf8), named: "100.conf", vmid: "100").domain
    var other = try ProxmoxConf(Array(text.utf8), named: "100.conf", vmid: "100").domain
    #expect(one.proxmox?.guestThreads == 2 && other.proxmox?.guestThreads == 2)
    one.proxmox?.description = ""
    one.proxmox?.arguments = nil
    other.proxmox?.arguments = nil
    #expect(one == other)
  }

  @Test func goesAwayWithItsOwner() throws {
    var folder: TemporaryFolder? = try TemporaryFolder()
    let path = try #require(folder?.path)
    try RecordedHost(parsing: "sys/a/b\tc\nsys/d -> /\n", from: "test").unpack(into: path)
    #expect(LiveKernel().exists(HostPath(foreign: "\(path)/sys/a/b")))
    folder = nil
    #expect(!LiveKernel().exists(HostPath(foreign: path)))
  }
}
