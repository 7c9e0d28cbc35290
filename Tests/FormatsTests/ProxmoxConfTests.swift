import HostModel
import Testing

@testable import Formats

struct ProxmoxConfTests {
  @Test func ofLinesThatAreNoneAHundredAreNamed() throws {
    let lines = (0..<200_000).map { "\($0)\n" }.joined()
    let text = "cores: 2\n" + lines + "vcpus: 9\n"
    let conf = try ProxmoxConf(Array(text.utf8.prefix(1 << 20)), named: "f", vmid: "101")
    #expect(conf.warnings.count == 101)
    #expect(conf.warnings.last?.sentence == "this line and further ones are ignored as well")
  }

  @Test func readsAWorkstation() throws {
    let conf = try read(workstation)
    #expect(conf.warnings == [])
    let domain = conf.domain
    #expect(domain.hypervisor == .proxmox)
    #expect(domain.name == "win11")
    #expect(domain.id == "101")
    #expect(domain.vcpus == 16)
    #expect(domain.iothreads == 3)
    #expect(domain.iothreadIDs == [1, 2, 3])
    #expect(
      domain.cells == [
        GuestCell(id: 0, memoryKiB: 4 << 20, pageKiB: 1 << 20, hostNodes: [0], mode: .bind),
        GuestCell(id: 1, memoryKiB: 3584 << 10, pageKiB: 2048, hostNodes: [1], mode: .preferred),
      ])
    #expect(
      domain.functions == [
        PassedFunction(address: try address("0000:01:00.0"), isManaged: true, kind: .hostpci),
        PassedFunction(address: try address("0000:01:00.1"), isManaged: true, kind: .hostpci),
        PassedFunction(address: try address("0001:c1:00.2"), isManaged: false, kind: .hostpci),
        PassedFunction(address: try address("0000:00:02.0"), isManaged: true, kind: .mdev),
      ])
    let options = try #require(domain.proxmox)
    #expect(options.onlineVCPUs == 4)
    #expect(options.affinity == [0, 5, 8, 9, 10, 11])
    #expect(options.keepsHugepages)
    #expect(!options.hasBalloon)
    #expect(
      options.iothreads == [
        "iothread-virtioscsi0", "iothread-virtioscsi10", "iothread-virtio2",
      ])
    #expect(options.arguments == "-cpu host,hv_passthrough  -foo \"a b\"")
    #expect(options.lock == "backup")
    #expect(options.isTemplate)
    #expect(options.description == "Kept: by hand\n50% off\nmore")
    #expect(options.devices.map(\.number) == [0, 1, 2, 3, 15])
    #expect(options.devices.last?.source == .mapping("gpu-a"))
  }

  @Test func hasProxmoxsDefaults() throws {
    let domain = try read("ostype: l26\n").domain
    var plain = Domain(hypervisor: .proxmox, name: "vm101", id: "101", vcpus: 1)
    plain.cells = [GuestCell(id: 0, memoryKiB: 512 << 10)]
    plain.proxmox = ProxmoxOptions(onlineVCPUs: 1)
    plain.proxmox?.configuredVCPUs = 1
    #expect(domain == plain)
  }

  /// The lines of processors, and how many vCPUs there can be and are on.
  @Test(arguments: [
    ("cores: 4", 4, 4), ("sockets: 2\ncores: 3", 6, 6), ("smp: 2\ncores: 2", 4, 4),
    ("smp: 2\nsockets: 3", 3, 3), ("sockets: 0\nsmp: 2", 2, 2), ("cores: 0", 1, 1),
    ("cores: 4\nvcpus: 2", 4, 2), ("cores: 4\nvcpus: 0", 4, 4), ("cores: 2\nvcpus: 8", 2, 2),
    ("cores: 4\ncores: 6", 6, 6), ("cores: 4\ncores: many", 4, 4), ("cores: 16385", 1, 1),
    ("cores:8", 8, 8), ("cores: \t 8 \t\r", 8, 8), ("cores: 16384\nsockets: 16384", 16384, 16384),
  ])
  func countsProcessors(lines: String, vcpus: Int, online: Int) throws {
    let domain = try read(lines).domain
    #expect(domain.vcpus == vcpus)
    #expect(domain.proxmox?.onlineVCPUs == online)
  }

  @Test(arguments: [
    ("1", true), ("on", true), ("YES", true), ("True", true), ("0", false), ("off", false),
    ("No", false), ("FALSE", false), ("2", nil), ("\"1\"", nil), ("enabled", nil),
  ])
  func readsEverySpellingOfABoolean(value: String, meaning: Bool?) throws {
    let conf = try read("keephugepages: \(value)\ncores: 1")
    #expect(conf.domain.proxmox?.keepsHugepages == meaning ?? false)
    #expect(conf.warnings.map(\.line) == (meaning == nil ? [1] : []))
  }

  @Test(arguments: [
    ("memory: 2048", 2048), ("memory: current=4096", 4096), ("memory: , 2048", 512),
    ("memory: 8", 512), ("memory: 1024,2048", 512), ("memory: 64 GiB", 512), ("cores: 1", 512),
  ])
  func readsMemory(line: String, mebibytes: Int) throws {
    let cells = try read("cores: 1\n" + line).domain.cells
    #expect(cells == [GuestCell(id: 0, memoryKiB: mebibytes << 10)])
  }

  @Test(arguments: [
    ("\"backup\"", "backup"), ("backup", "backup"), ("\"backup", "\"backup"), ("\"\"", ""),
  ])
  func takesQuotesOffPlainTexts(value: String, text: String) throws {
    #expect(try read("lock: \(value)\ncores: 1").domain.proxmox?.lock == text)
  }

  /// A line that is ignored, and a word of the warning.
  @Test(arguments: [
    (" cores: 4", "key: value"), ("cores 4", "key: value"), ("Cores: 4", "key: value"),
    ("cores:", "key: value"), ("cores: ", "a number"), ("[cores", "key: value"),
    ("1cores: 4", "key: value"),
    ("name: a_b", "“a_b”, not a DNS name"), ("affinity: 0,^3", "list of CPUs"),
    ("affinity: 0-8:2", "list of CPUs"), ("hugepages: 4", "any, 2 or 1024"),
    ("hostpci0: 01:00.0,mapping=x", "either host= or mapping="),
    ("hostpci0: pcie=1", "either host= or mapping="), ("hostpci0: 0A:00.0", "PCI addresses"),
    ("hostpci0: 1:0.0", "PCI addresses"),
    ("hostpci0: 01:00.0;", "PCI addresses"),
    (
      "hostpci0: " + Array(repeating: "01:00.0", count: 257).joined(separator: ";"),
      "at most 256 PCI addresses"
    ),
    ("hostpci0: 01:00.0,driver=nouveau", "vfio or keep"), ("hostpci0: 01:00,host=02:00", "once"),
    ("hostpci0: host=", "key=value"), ("scsi0: iothread=1", "a volume"),
    ("scsi0: a:b,iothread=2", "1 or 0"), ("numa0: memory=4", "cpus= and memory="),
    ("numa0: cpus=0,memory=x", "an amount of memory"), ("numa0: 0-3,memory=4", "key=value"),
    ("numa0: cpus=3-0,memory=4", "list of CPUs"),
    ("numa0: cpus=0,memory=4,policy=strict", "preferred, bind or interleave"),
    ("delete: cores", "[PENDING]"), ("[no such]", "does not know"),
  ])
  func ignoresALineWithAWarning(line: String, words: String) throws {
    let conf = try read("cores: 2\n\(line)\n")
    #expect(conf.warnings.map(\.line) == [2])
    #expect(conf.warnings.first?.description.contains(words) == true, "\(conf.warnings)")
    #expect(conf.domain == (try read("cores: 2").domain))
  }

  @Test(arguments: [
    "snapstate: prepare", "x snapstate:delete", "hostpci16: 01:00.0", "hostpci00: 01:00.0",
    "scsi31: a:b,iothread=1", "numa8: cpus=0,memory=4", "futurekey: 1", "cdrom: none", "   ",
    "boot: ",
    "net0: virtio=02:00:00:00:00:01,bridge=vmbr0",
  ])
  func leavesOutWhatDoesNotConcernTheHost(line: String) throws {
    let conf = try read("cores: 2\n\(line)\n")
    #expect(conf.warnings == [])
    #expect(conf.domain == (try read("cores: 2").domain))
  }

  @Test(arguments: ["[PENDING]", "[pending] ", "[special:cloudinit]", "[Before-2]", "[x y]", "[]"])
  func endsAtTheFirstSection(header: String) throws {
    let conf = try read("cores: 2\n\(header)\ncores: 8\n# note\nnonsense\nargs: -x\n")
    #expect(conf.domain == (try read("cores: 2").domain))
  }

  @Test func warnsOfASecondSectionOfTheSameName() throws {
    let conf = try read("cores: 2\n[a1]\ncores: 1\n[special:fleecing]\n[a1]\n")
    #expect(
      conf.warnings.map(\.description) == ["101.conf:5: a second [a1], which replaces the first"])
  }

  @Test func decodesNotes() throws {
    let text = "#caf%C3%A9%3A %zz%4\ndescription: one%0Atwo\n#\n#%ff \ncores: 1\n"
    #expect(
      try read(text).domain.proxmox?.description == "café: %zz%4\none\ntwo\n\u{fffd}")
  }

  @Test func givesIOThreadsOnlyWhereTheyWork() throws {
    let disks = "scsi1: a:b,iothread=on\nscsi0: volume=a:b,iothread=0\nide0: a:b,iothread=1\n"
    let without = try read("scsihw: virtio-scsi-pci\n\(disks)virtio3: a:b,size=1G,iothread=1\n")
    #expect(without.domain.proxmox?.iothreads == ["iothread-virtio3"])
    #expect(without.warnings.map(\.line) == [2])
    let with = try read("scsihw: \"virtio-scsi-single\"\n\(disks)")
    #expect(with.domain.proxmox?.iothreads == ["iothread-virtioscsi1"])
    #expect(with.domain.iothreadIDs == [1])
  }

  @Test(arguments: [
    ("/etc/pve/qemu-server/100.conf", "100"), ("999999999.conf", "999999999"), ("12.conf", nil),
    ("100.conf.txt", nil), ("1000000000.conf", nil), ("0100.conf", nil), ("vm.conf", nil),
    ("", nil),
  ])
  func takesTheNumberFromTheFilesName(path: String, vmid: String?) {
    #expect(ProxmoxConf.vmid(ofFile: path) == vmid)
  }

  /// A text, the line that is named, and words of the error.
  @Test(arguments: [
    ("", 1, "nothing in it"), ("\n\n", 1, "nothing in it"), ("# a comment\n", 1, "nothing in it"),
    ("<domain type='kvm'>\n  <name>vm</name>\n</domain>", 1, "“<domain type='kvm'>”"),
    ("# berth\n\nisolation = \"slices\"\n", 3, "“isolation"),
    ("root:x:0:0:root:/root:/bin/bash\n", 1, "nothing in it"),
    ("[PENDING]\ncores: 2\n", 1, "nothing in it"), ("cores: 2\nmemory\u{0}: 4\n", 2, "NUL"),
    ("cores: 2\n" + String(repeating: "#\n", count: 1 << 19), 1, "more than 1 MiB"),
  ])
  func refusesWhatIsNoConfiguration(text: String, line: Int, words: String) {
    let problem = #expect(throws: ProxmoxProblem.self) { try read(text) }
    #expect(problem?.file == "101.conf")
    #expect(problem?.line == line)
    #expect(problem?.sentence.contains(words) == true, "\(problem?.sentence ?? "")")
  }

  @Test func survivesEveryChangedByte() {
    let bytes = Array(workstation.utf8)
    for place in bytes.indices {
      for byte: UInt8 in [0x0a, 0x3b, 0x39, 0xff] {
        var changed = bytes
        changed[place] = byte
        _ = try? ProxmoxConf(changed, named: "101.conf", vmid: "101")
      }
    }
  }
}

/// What Proxmox counts in each pool: node, pages, and their size in MiB.
struct ProxmoxHugepageTests {
  @Test(
    arguments: [
      ("hugepages: 2\nnuma: 1\nmemory: 4096", [[0, 2048, 2]]),
      ("hugepages: any\nnuma: 1\nmemory: 4096\nsockets: 2", [[0, 2, 1024], [1, 2, 1024]]),
      ("hugepages: any\nnuma: 1\nmemory: 5120\nsockets: 2", [[0, 1280, 2], [1, 1280, 2]]),
      ("hugepages: 2\nmemory: 4096", []),
      ("numa: 1\nmemory: 4096", []),
      (
        "hugepages: any\nnuma: 1\nnuma0: cpus=0,memory=1024,hostnodes=1,policy=bind\n"
          + "numa1: cpus=1,memory=512,hostnodes=1,policy=bind\n"
          + "numa2: cpus=2,memory=512,hostnodes=1,policy=bind", [[1, 512, 2], [1, 1, 1024]]
      ),
      (
        "hugepages: 2\nnuma: 1\nsockets: 2\nhotplug: disk,memory\nmemory: 2560",
        [[0, 256 + 512, 2], [1, 256 + 256, 2]]
      ),
      (
        "hugepages: 1024\nnuma: 1\nsockets: 2\nhotplug: memory\nmemory: 5120",
        [[0, 3, 1024], [1, 2, 1024]]
      ),
      ("hugepages: 2\nnuma: 1\nhotplug: memory\nmemory: 17920", [[0, 512 + 33 * 256 + 256, 2]]),
    ] as [(String, [[Int]])])
  func countsPages(lines: String, pools: [[Int]]) throws {
    let options = try #require(try read(lines).domain.proxmox)
    let demands = options.hugepageDemands(among: [2048, 1 << 20])
    #expect(demands.map { [$0.pool.node, $0.pages, $0.pool.pageKiB >> 10] } == pools)
  }

  @Test func takesSmallPagesWhereTheHostHasNoLargeOnes() throws {
    var domain = try read("hugepages: any\nnuma: 1\nmemory: 2048").domain
    #expect(domain.cells.map(\.pageKiB) == [1 << 20])
    domain.settle(offering: [2048], present: [])
    #expect(domain.cells.map(\.pageKiB) == [2048])
    #expect(
      domain.proxmox?.hugepageDemands(among: [2048])
        == [HugepageDemand(pool: HugepagePool(node: 0, pageKiB: 2048), pages: 1024)])
  }

  @Test func knowsOfWhatProxmoxDoesNotStart() throws {
    let conf = try read(
      """
      hugepages: 2
      numa0: cpus=0,memory=512,hostnodes=0
      """)
    #expect(conf.warnings.map(\.line) == [2])
    #expect(
      conf.domain.proxmox?.refusals == [
        ProxmoxRefusal(
          "numa needs to be enabled to use hugepages", fix: "qm set 101 --numa 1")
      ])
    let many = try read(
      """
      numa: 1
      hugepages: 2
      numa0: cpus=0,memory=256,hostnodes=0-1,policy=bind
      numa1: cpus=1,memory=256,hostnodes=0
      """)
    #expect(
      many.domain.proxmox?.refusals.map(\.words) == [
        "more than 1 hostnode value in numa node is not supported when hugepages are enabled",
        "you need to define a policy for hostnode 0",
      ])
    #expect(many.domain.proxmox?.hugepageParts == [HugepagePart(sizeKiB: 256 << 10, node: 0)])
  }
}

struct PCISelectionTests {
  @Test(arguments: [
    ("01:00.0", "0000:01:00.0"), ("01:00", "0000:01:00"), ("0000:c1:1f.7", "0000:c1:1f.7"),
    ("10000:01:00", "10000:01:00"), ("00:ff.1", "0000:00:ff.1"), ("01:00.10", nil), ("1:00.0", nil),
    ("000:01:00.0", nil),
    ("01:0A.0", nil), ("01:00.", nil), ("", nil), ("01", nil), (".0", nil), ("01:00.0.0", nil),
    ("0:0:01:00.0", nil),
  ])
  func readsAddresses(text: String, address: String?) {
    #expect(PCISelection(text).map { "\($0)" } == address)
  }

  @Test func warnsOfAnAddressThatNoFunctionHas() throws {
    let conf = try read("hostpci0: 00:ff.1;00:01.0,driver=keep")
    #expect(conf.warnings.map(\.line) == [1])
    #expect(conf.domain.functions.map { "\($0.address)" } == ["0000:00:01.0"])
  }

  @Test func findsTheFunctionsOfASlot() throws {
    let present = try ["0000:01:00.1", "0000:01:00.0", "0001:01:00.0", "0000:01:01.0"].map(address)
    var domain = try read("hostpci0: 01:00\nhostpci1: mapping=a\nhostpci2: mapping=b").domain
    #expect(domain.functions == [])
    let mappings = try PCIMappings(Array(mapping.utf8), of: "pve1")
    #expect(mappings.warnings.map(\.line) == [1, 12, 13])
    domain.settle(
      offering: [2048], present: present, mappings: mappings.alternatives)
    #expect(
      domain.functions.map { "\($0.address)" } == [
        "0000:01:00.0", "0000:01:00.1", "0000:02:00.0", "0000:03:00.0",
      ])
    #expect(mappings.alternatives["b"]?.count == 2)
    #expect(try PCIMappings(Array(mapping.utf8), of: "pve2").alternatives["b"]?.count == 1)
    #expect(try PCIMappings([], of: "pve2").alternatives == [:])
    #expect(throws: ProxmoxProblem.self) { try PCIMappings([0], of: "pve2") }
  }

  private let mapping = """
    \tmap node=pve1
    # two devices at once
    a
    \tdescription GPU and its sound
    \t# not yet: map id=1:2,node=pve1,path=0000:09:00
    \tmap id=8086:1572,node=pve1,path=0000:02:00.0;0000:03:00.0,subsystem-id=8086:0007

    b
    \tmdev 1
    \tmap id=10de:1,iommugroup=14,node=pve1,path=0000:04:00.0
      map id=10de:1,node=pve1,path=0000:05:00
    \tmap id=10de:1,node=pve1,path=5:0
    map id=10de:1,node=pve1,path=0000:06:00.0
    \tmap id=10de:1,node=pve2,path=0000:06:00.0
    """
}

private func read(_ text: String) throws(ProxmoxProblem) -> ProxmoxConf {
  try ProxmoxConf(Array(text.utf8), named: "101.conf", vmid: "101")
}

private func address(_ text: String) throws -> PCIAddress { try #require(PCIAddress(text)) }

private let workstation = """
  #Kept%3A by hand
  description: 50%25 off%0Amore
  affinity: 0,5, 8-11
  agent: 1,fstrim_cloned_disks=1
  args:   -cpu host,hv_passthrough  -foo "a b"
  balloon: 0
  boot: order=scsi0;ide2
  cdrom: none,media=cdrom
  cores: 8
  hostpci0: 0000:01:00.0;01:00.1,pcie=1,x-vga=1
  hostpci1: host=0001:c1:00.2,driver=keep
  hostpci2: c2:00,driver=vfio
  hostpci3: 00:02.0,mdev=i915-GVTg_V5_4
  hostpci15: mapping=gpu-a,rombar=0
  hugepages: any
  keephugepages: yes
  lock: backup
  memory: current=7680
  name: win11
  numa: 1
  numa0: cpus=0-3;8-11,hostnodes=0,memory=4096,policy=bind
  numa1: cpus=4-7;12-15,hostnodes=1,memory=3584,policy=preferred
  scsi0: local-lvm:vm-101-disk-0,iothread=1,size=64G
  scsi1: local-lvm:vm-101-disk-1,size=64G
  scsi10: file=local-lvm:vm-101-disk-2,iothread=on
  scsihw: virtio-scsi-single
  sockets: 2
  template: 1
  vcpus: 4
  virtio2: local-lvm:vm-101-disk-3,iothread=yes

  [PENDING]
  cores: 64
  delete: affinity

  [before-update]
  #An older state
  cores: 2
  name: old
  """
