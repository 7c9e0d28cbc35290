import HostModel
import Testing

@testable import Formats

struct DomainXMLTests {
  @Test func readsAGamingDomain() throws {
    let domain = try read(gaming)
    #expect(domain.hypervisor == .libvirt)
    #expect(domain.name == "-win 11 & co")
    #expect(domain.id == "6f0ff3a1-0a2b-4c3d-8e4f-5a6b7c8d9e0f")
    #expect(domain.vcpus == 3)
    #expect(domain.vcpuPins == [0: [8], 1: [9, 24], 2: [2, 3]])
    #expect(domain.vcpusPinnedTogether == [2])
    #expect(domain.emulatorPin == [6, 7])
    #expect(domain.iothreads == 3)
    #expect(domain.iothreadIDs == [1, 2, 4])
    #expect(domain.iothreadPins == [4: [5]])
    #expect(domain.scheduledVCPUs == [0, 1])
    #expect(
      domain.cells == [
        GuestCell(id: 0, memoryKiB: 4 << 20, pageKiB: 2048, hostNodes: [1], mode: .strict),
        GuestCell(
          id: 1, memoryKiB: 2 << 20, pageKiB: 1 << 20, hostNodes: [0, 1], mode: .preferred),
      ])
    #expect(
      domain.memoryDevices == [
        MemoryDevice(sizeKiB: 1 << 20, pageKiB: 2048, hostNodes: [1], mode: .strict)
      ])
    #expect(
      domain.functions.map { "\($0.address) \($0.isManaged) \($0.kind.rawValue)" } == [
        "0000:0b:00.3 true hostdev", "0000:0c:10.1 false interface", "0001:02:00.0 true nvme",
        "0000:03:00.0 false nvme",
      ])
    #expect(
      domain.metadata == [
        MetadataKey(key: "isolation", text: "slices"), MetadataKey(key: "pins.vcpus", text: "8-9"),
      ])
  }

  @Test(
    arguments: [
      ("<vcpu>6</vcpu>", CPUList()), ("<vcpu current='2'>6</vcpu>", [2, 3, 4, 5]),
      ("<vcpu current='6'>6</vcpu>", []), ("<vcpu current='9'>6</vcpu>", []),
      (
        """
        <vcpu current='4'>6</vcpu><vcpus><vcpu id='0' enabled='yes'/><vcpu id='1' enabled='yes'/>
        <vcpu id='2' enabled='no'/><vcpu id='4' enabled='yes'/><vcpu id='5' enabled='yes'/></vcpus>
        """, [2, 3]
      ),
      ("<vcpu>2</vcpu><vcpus><vcpu id='0' enabled='no'/></vcpus>", []),
    ] as [(String, CPUList)])
  func readsWhichVCPUsAreOff(elements: String, off: CPUList) throws {
    let domain = try read("<domain><name>vm</name>\(elements)</domain>")
    #expect(domain.offVCPUs == off)
    #expect(CPUList(domain.onlineVCPUs).union(off).count == domain.vcpus)
  }

  @Test func readsTheDomainInAStatusFile() throws {
    let status = "<domstatus state='running' pid='7'><taint flag='x'/><domain type='kvm'>"
    let domain = try read("\(status)<name>vm</name><vcpu>2</vcpu></domain></domstatus>")
    #expect(domain.name == "vm")
    #expect(domain.vcpus == 2)
  }

  @Test func hasNothingThatIsNotSaid() throws {
    let domain = try read("<domain><name>vm</name><memory unit='GB'>1</memory></domain>")
    var plain = Domain(hypervisor: .libvirt, name: "vm", id: nil, vcpus: 1)
    plain.cells = [GuestCell(id: 0, memoryKiB: 976563)]
    #expect(domain == plain)
  }

  @Test func readsTextAsPeopleWriteIt() throws {
    let domain = try read(
      """
      <domain><name><![CDATA[a<b]]></name><!-- a comment --><vcpu cpuset=' 0-7 , ^3,^4 '>
      <!-- 8? -->2
      </vcpu></domain>
      """)
    #expect(domain.name == "a<b")
    #expect(domain.vcpuPins[1] == [0, 1, 2, 5, 6, 7])
  }

  @Test(arguments: [
    ("1048576", nil, 1 << 20), ("512", "MiB", 1 << 19), ("1", "G", 1 << 20), ("1", "g", 1 << 20),
    ("1", "GiB", 1 << 20), ("1", "TiB", 1 << 30), ("1000", "KB", 977), ("1", "MB", 977),
    ("1025", "b", 2), ("2048", "bytes", 2), ("1", "byte", 1), ("3", "k", 3), ("0", "KiB", 0),
  ])
  func readsEveryUnitOfLibvirts(amount: String, unit: String?, kiB: Int) throws {
    let attribute = unit.map { " unit='\($0)'" } ?? ""
    let text = "<domain><name>vm</name><memory\(attribute)>\(amount)</memory></domain>"
    #expect(try read(text).cells.first?.memoryKiB == kiB)
  }

  /// What stands in `<memoryBacking>`, and the page of each of the cells 0 and 1.
  @Test(
    arguments: [
      ("", nil, nil),
      ("<hugepages/>", 0, 0),
      ("<hugepages><page/></hugepages>", 0, 0),
      ("<hugepages><page size='2' unit='M'/></hugepages>", 2048, 2048),
      ("<hugepages><page size='4'/></hugepages>", nil, nil),
      ("<hugepages><page size='1' unit='GiB' nodeset='1'/></hugepages>", nil, 1 << 20),
      (
        "<hugepages><page size='2048'/><page size='4' nodeset='1'/></hugepages>", 2048, nil
      ),
      (
        "<hugepages><page size='1' unit='G' nodeset='0-9,^1'/><page size='2048'/></hugepages>",
        1 << 20, 2048
      ),
    ] as [(String, Int?, Int?)])
  func findsThePageOfEachCell(backing: String, first: Int?, second: Int?) throws {
    let domain = try read(
      """
      <domain><name>vm</name><memoryBacking>\(backing)</memoryBacking><cpu><numa>
      <cell memory='1024'/><cell memory='1' unit='MiB'/></numa></cpu></domain>
      """)
    #expect(domain.cells.map(\.pageKiB) == [first, second])
    #expect(domain.cells.map(\.id) == [0, 1])
  }

  @Test func takesPagesOfNodeZeroForADomainWithoutNUMA() throws {
    let domain = try read(
      """
      <domain><name>vm</name><memory>1024</memory><memoryBacking><hugepages>
      <page size='2048' nodeset='0'/></hugepages></memoryBacking></domain>
      """)
    #expect(domain.cells == [GuestCell(id: 0, memoryKiB: 1024, pageKiB: 2048)])
  }

  @Test(
    arguments: [
      ("<memory mode='interleave' placement='auto' nodeset='1'/>", nil, .interleave),
      ("<memory nodeset='0-1'/>", [0, 1], .strict),
      ("<memory mode='restrictive' nodeset='1'/>", [1], .restrictive),
      ("<memory/>", nil, nil),
    ] as [(String, CPUList?, MemoryMode?)])
  func findsTheNodes(memory: String, nodes: CPUList?, mode: MemoryMode?) throws {
    let domain = try read(
      "<domain><name>vm</name><memory>8</memory><numatune>\(memory)</numatune></domain>")
    #expect(domain.cells.first?.hostNodes == nodes)
    #expect(domain.cells.first?.mode == mode)
  }

  @Test func takesTheDevicesOffTheMemoryOfADomainWithoutNUMA() throws {
    let domain = try read(
      """
      <domain><name>vm</name><memory unit='GiB'>9</memory>
      <memoryBacking><hugepages/></memoryBacking><devices>
      <memory model='dimm'><target><size unit='GiB'>1</size></target></memory>
      <memory model='nvdimm'><source><path>/x</path></source>
      <target><size unit='GiB'>2</size></target></memory>
      <memory model='virtio-mem'><source><nodemask>0-1</nodemask><pagesize>4</pagesize></source>
      <target><size unit='GiB'>4</size><requested unit='MiB'>512</requested></target></memory>
      </devices></domain>
      """)
    #expect(domain.cells == [GuestCell(id: 0, memoryKiB: 2 << 20, pageKiB: 0)])
    #expect(
      domain.memoryDevices == [
        MemoryDevice(sizeKiB: 1 << 20, pageKiB: 0, hostNodes: nil),
        MemoryDevice(sizeKiB: 1 << 19, pageKiB: nil, hostNodes: [0, 1]),
      ])
  }

  @Test func readsNumbersOfAddressesAsCDoes() throws {
    let domain = try read(
      """
      <domain><name>vm</name><devices><hostdev mode='subsystem' type='pci'><source>
      <address domain='0x10000' bus='11' slot='013' function='0X7'/></source></hostdev>
      <hostdev mode='subsystem' type='usb'/><hostdev mode='capabilities' type='net'/>
      <interface type='hostdev'><source><address type='usb' bus='1'/></source></interface>
      </devices></domain>
      """)
    #expect(domain.functions.map(\.address.description) == ["10000:0b:0b.7"])
  }

  /// What a device says of its driver on the host, and the driver that it is to have.
  @Test(
    arguments: [
      ("", nil), ("<driver name='vfio'/>", nil), ("<driver iommufd='yes'/>", nil),
      ("<driver model='mlx5_vfio_pci'/>", "mlx5_vfio_pci"),
      ("<driver name='vfio' model='vfio-pci'/>", "vfio-pci"),
    ] as [(String, String?)])
  func readsTheDriverThatAFunctionIsToHave(element: String, driver: String?) throws {
    let domain = try read(
      """
      <domain><name>vm</name><devices>
      <hostdev type='pci'>\(element)<source><address bus='1'/></source></hostdev>
      <interface type='hostdev'>\(element)<source><address bus='2'/></source></interface>
      <interface type='network'><driver name='vhost'/><actual type='hostdev'>\(element)<source>
      <address bus='3'/></source></actual></interface></devices></domain>
      """)
    #expect(domain.functions.map(\.driver) == [driver, driver, driver])
  }

  @Test func readsMediatedDevicesAndWhatArgumentsOfQEMUsHandOver() throws {
    let uuid = "c2177883-f1bb-47f0-914d-32a22e3a8804"
    let domain = try read(
      """
      <domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><name>vm</name><devices>
      <hostdev type='mdev' model='vfio-pci'><source><address uuid='\(uuid)'/></source></hostdev>
      <hostdev type='mdev'/><hostdev type='pci'><source><address bus='1'/></source></hostdev></devices>
      <q:commandline><q:arg value='-device'/><q:arg value='vfio-pci,host=02:00.0'/>
      <q:arg value='-device'/><q:arg value='vfio-pci,host=01:00.0'/><q:env name='A' value='-device'/>
      </q:commandline><commandline><arg value='-device'/><arg value='vfio-pci,host=03:00.0'/></commandline>
      </domain>
      """)
    #expect(domain.mediatedDevices == [uuid])
    #expect(
      domain.functions.map { "\($0.address) \($0.isManaged) \($0.kind.rawValue)" } == [
        "0000:01:00.0 false hostdev", "0000:02:00.0 false argument",
      ])
  }

  /// An element in a domain, where it stands, and what the error says.
  @Test(arguments: [
    ("<cputune>\n  <vcpupin vcpu='0' cpuset='x'/></cputune>", 3, 3, "cpuset= of <vcpupin> is “x”"),
    ("<cputune><vcpupin cpuset='1'/></cputune>", 2, 10, "<vcpupin> has no vcpu="),
    ("<cputune><vcpupin vcpu='0' cpuset='1,^1'/></cputune>", 2, 10, "names nothing"),
    ("<cputune><iothreadpin iothread='1' cpuset='1'/></cputune>", 2, 10, "which is none"),
    ("<memory unit='parsec'>1</memory>", 2, 1, "“parsec”"),
    ("<memory>-1</memory>", 2, 1, "<memory> is “-1”"),
    ("<memory unit='E'>99999999</memory>", 2, 1, "more than any host has"),
    ("<memory/>", 2, 1, "<memory> is “”"),
    ("<vcpu>0</vcpu>", 2, 1, "at least one"),
    ("<vcpu>4000000000</vcpu>", 2, 1, "not a number up to 16384"),
    ("<uuid>12</uuid>", 2, 1, "not a UUID"),
    ("<numatune><memory mode='bind' nodeset='0'/></numatune>", 2, 11, "“bind”"),
    ("<cpu><numa><cell id='1' memory='1'/></numa></cpu>", 2, 12, "cell 1 is one of 1"),
    ("<devices><hostdev type='pci'/></devices>", 2, 10, "no <address>"),
    (
      "<devices><hostdev type='pci'><source><address slot='0x20'/></source></hostdev></devices>",
      2, 38, "no address"
    ),
    (
      "<devices><hostdev type='pci' managed='1'><source><address/></source></hostdev></devices>",
      2, 10, "“1”"
    ),
  ])
  func saysWhereAValueMeansNothing(element: String, line: Int, column: Int, words: String) {
    let error = error("<domain><name>vm</name>\n\(element)</domain>")
    #expect(error?.line == line)
    #expect(error?.column == column)
    #expect(error?.sentence.contains(words) == true, "\(error?.sentence ?? "no error")")
  }

  @Test(arguments: [
    ("", 1, 1, "no element found"),
    ("<domain>\n  <name>vm</nam></domain>", 2, 13, "mismatched tag"),
    ("<domain/>", 1, 1, "no <name>"),
    ("<network/>", 1, 1, "“network”"),
    ("<domain xmlns='urn:else'><name>vm</name></domain>", 1, 1, "not <domain>"),
    ("<domstatus/>", 1, 1, "no <domain>"),
    ("<domain><name>a\u{0}b</name></domain>", 1, 16, "invalid token"),
    ("\n <!DOCTYPE domain><domain/>", 2, 18, "document type declaration"),
  ])
  func saysWhereATextIsNoDomain(text: String, line: Int, column: Int, words: String) {
    let error = error(text)
    #expect(error?.line == line)
    #expect(error?.column == column)
    #expect(error?.sentence.contains(words) == true, "\(error?.sentence ?? "no error")")
  }
}

/// Input of someone who means harm: an error, soon, and nothing worse.
struct HostileDomainXMLTests {
  @Test func endsAtEveryTruncation() {
    let bytes = Array(gaming.utf8)
    for count in 0..<bytes.count - 1 {
      #expect(throws: DomainXMLError.self) { try DomainXML.domain(from: Array(bytes[..<count])) }
    }
  }

  @Test func survivesEveryChangedByte() {
    let bytes = Array(gaming.utf8)
    for place in bytes.indices {
      for byte: UInt8 in [0, 0x3c, 0x39] {
        var changed = bytes
        changed[place] = byte
        _ = try? DomainXML.domain(from: changed)
      }
    }
  }

  @Test func refusesABombOfEntities() {
    var bomb = "<!DOCTYPE domain [<!ENTITY a0 \"ha\">"
    for level in 1...30 {
      bomb += "<!ENTITY a\(level) \"&a\(level - 1);&a\(level - 1);\">"
    }
    let error = error(bomb + "]><domain><name>&a30;</name></domain>")
    #expect(error?.sentence.contains("document type declaration") == true)
  }

  @Test func refusesMoreThanTwoMiB() {
    let padding = String(repeating: " ", count: DomainXML.capacity)
    let error = error("<domain><name>vm</name>\(padding)</domain>")
    #expect(error?.sentence.contains("2 MiB") == true)
  }

  @Test func readsADomainOfFourThousandVCPUsAndThousandsOfDisks() throws {
    let vcpus = (0..<4096).map { "<vcpu id='\($0)' enabled='yes' hotpluggable='no'/>" }
    let pins = (0..<4096).map { "<vcpupin vcpu='\($0)' cpuset='\($0)'/>" }
    let disk =
      "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none' io='native'/>"
      + "<source file='/var/lib/libvirt/images/a.raw' index='1'/><backingStore/>"
      + "<target dev='vdaaa' bus='virtio'/><alias name='virtio-disk1'/>"
      + "<address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/></disk>"
    let domain = try read(
      "<domain><name>vm</name><vcpu>4096</vcpu><vcpus>\(vcpus.joined())</vcpus><cputune>"
        + "\(pins.joined())</cputune><devices>\(String(repeating: disk, count: 3000))</devices></domain>"
    )
    #expect(domain.vcpuPins.count == 4096)
  }

  @Test(
    arguments: [
      ("<a/>", "cputune", 65_536), ("<a b=''/>", "cputune", 65_536),
      ("<disk/>", "devices", 65_536), ("<a/>", "devices", 131_072), ("<a/>", "metadata", 131_072),
    ] as [(String, String, Int)])
  func hasOfElementsNoMoreThanADomainMayHave(element: String, parent: String, most: Int) throws {
    let text = { (count: Int) in
      let elements = String(repeating: element, count: count)
      return "<domain><name>vm</name><\(parent)>\(elements)</\(parent)></domain>"
    }
    _ = try read(text(most / 3))
    #expect(error(text(most + 1))?.sentence.hasPrefix("more than \(most) elements") == true)
  }

  @Test func aVCPUThatNoListHasTurnsNoneOn() throws {
    for id in [16_383, 16_384] {
      let domain = try read(
        "<domain><name>vm</name><vcpu>2</vcpu><vcpus><vcpu id='0' enabled='yes'/>"
          + "<vcpu id='\(id)' enabled='yes'/></vcpus></domain>")
      #expect(domain.offVCPUs == [1])
    }
  }

  @Test func aFunctionOfTwoDevicesIsOne() throws {
    let device =
      "<hostdev mode='subsystem' type='pci'><source><address bus='0x41'/></source></hostdev>"
    let domain = try read(
      "<domain><name>vm</name><devices>\(String(repeating: device, count: 5000))</devices></domain>"
    )
    #expect(domain.functions.map { "\($0.address)" } == ["0000:41:00.0"])
  }

  @Test(arguments: ["<a>", "<domain>", "<metadata>", "<backingStore>"])
  func refusesDeepNesting(tag: String) {
    let start = "<domain><name>vm</name><devices><disk>"
    let error = error(start + String(repeating: tag, count: 100_000))
    #expect(error?.sentence.contains("more than 256 deep") == true)
  }

  @Test func refusesDevicesThatComeToMoreThanAnyNumber() {
    let size = "<size unit='KiB'>4398046511104</size>"
    let device = "<memory model='dimm'><target>\(size)<node>0</node></target></memory>"
    for count in [1, 2, 4000] {
      let devices = String(repeating: device, count: count)
      let error = error(
        "<domain><name>vm</name><memory>0</memory><devices>\(devices)</devices></domain>")
      #expect(error?.sentence == "<memory> is less than the memory devices together")
    }
    #expect(objection(to: "4398046511105", unit: "KiB")?.contains("any host has") == true)
    #expect(objection(to: "4", unit: "PiB") == nil)
  }

  private func objection(to amount: String, unit: String) -> String? {
    error("<domain><name>vm</name><memory unit='\(unit)'>\(amount)</memory></domain>")?.sentence
  }

  @Test func aNamespaceOfAnyLengthIsNobodys() throws {
    let long = String(repeating: "n", count: 200_000)
    let elements = String(repeating: "<l:x/><l:enabled/>", count: 2000)
    let domain = try read(
      """
      <domain xmlns:l='\(long)' xmlns:b='urn:berth:domain:1'><name>vm</name>
      <metadata><l:x>1</l:x><b:isolation>off</b:isolation>\(elements)</metadata>
      <l:memory>5</l:memory><devices>\(elements)</devices></domain>
      """)
    #expect(domain.metadata == [MetadataKey(key: "isolation", text: "off")])
    #expect(domain.cells.first?.memoryKiB == 0)
  }

  @Test func refusesMemoryThatDoesNotAddUp() {
    let cells = String(repeating: "<cell memory='7' unit='EiB'/>", count: 9)
    let error = error("<domain><name>vm</name><cpu><numa>\(cells)</numa></cpu></domain>")
    #expect(error?.sentence.contains("more than any host has") == true)
  }
}

private func read(_ text: String) throws -> Domain {
  try DomainXML.domain(from: Array(text.utf8))
}

private func error(_ text: String) -> DomainXMLError? {
  do throws(DomainXMLError) {
    _ = try DomainXML.domain(from: Array(text.utf8))
    return nil
  } catch {
    return error
  }
}

private let gaming = """
  <?xml version="1.0"?>
  <domain type="kvm" id="3" xmlns:qemu="http://libvirt.org/schemas/domain/qemu/1.0">
    <name>-win 11 &amp; co</name>
    <uuid>6F0FF3A10A2B-4c3d-8e4f-5a6b7c8d9e0f</uuid>
    <metadata>
      <other:os xmlns:other="urn:other"><other:isolation>no</other:isolation></other:os>
      <berth:domain xmlns:berth="urn:berth:domain:1">
        <berth:isolation> slices </berth:isolation>
        <berth:pins><berth:vcpus>8-9</berth:vcpus></berth:pins>
      </berth:domain>
    </metadata>
    <memory unit="KiB">7340032</memory>
    <memoryBacking><hugepages>
      <page size="2048" unit="KiB"/><page size="1" unit="G" nodeset="1"/>
    </hugepages><source type="memfd"/></memoryBacking>
    <vcpu placement="static" cpuset="2-3" current="1">3</vcpu>
    <iothreads>3</iothreads>
    <iothreadids><iothread id="4"/></iothreadids>
    <cputune>
      <vcpupin vcpu="0" cpuset="8"/><vcpupin vcpu="1" cpuset="9,24"/>
      <vcpupin vcpu="7" cpuset="1"/>
      <emulatorpin cpuset="6-7"/><iothreadpin iothread="4" cpuset="5"/>
      <vcpusched vcpus="0-1" scheduler="fifo" priority="1"/>
    </cputune>
    <numatune>
      <memory mode="strict" nodeset="1"/><memnode cellid="1" mode="preferred" nodeset="0-1"/>
    </numatune>
    <cpu><numa>
      <cell id="1" cpus="2" memory="2" unit="GiB"/><cell id="0" cpus="0-1" memory="4194304"/>
    </numa></cpu>
    <devices>
      <emulator>/usr/bin/qemu-system-x86_64</emulator>
      <hostdev mode="subsystem" type="pci" managed="yes"><source>
        <address domain="0x0000" bus="0x0b" slot="0x00" function="0x3"/></source>
        <address type="pci" domain="0x0000" bus="0x05" slot="0x00" function="0x0"/>
      </hostdev>
      <interface type="network"><actual type="hostdev" managed="no"><source>
        <address type="pci" domain="0x0000" bus="0x0c" slot="0x10" function="0x1"/></source>
      </actual></interface>
      <disk type="nvme" device="disk"><source type="pci" namespace="1">
        <address domain="0x0001" bus="0x02" slot="0x00" function="0x0"/></source>
        <backingStore type="nvme"><source type="pci" managed="no" namespace="1">
          <address bus="0x03"/></source></backingStore>
      </disk>
      <memory model="dimm"><target><size unit="GiB">1</size><node>0</node></target></memory>
      <graphics type="vnc" passwd="secret"/>
    </devices>
    <qemu:commandline><qemu:arg value="-foo"/></qemu:commandline>
  </domain>
  """
