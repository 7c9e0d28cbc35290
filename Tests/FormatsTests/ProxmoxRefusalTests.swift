import HostModel
import Testing

@testable import Formats

/// What Proxmox (qemu-server 9.2.6) and QEMU do not start with, by the configuration alone.
struct ProxmoxRefusalTests {
  private func refusals(_ lines: String) throws -> [ProxmoxRefusal] {
    let bytes = Array(lines.utf8)
    return try ProxmoxConf(bytes, named: "101.conf", vmid: "101").domain.proxmox?.refusals ?? []
  }

  /// The lines, Proxmox's words, and the line that puts it right.
  @Test(
    arguments: [
      (
        "hugepages: 2", "numa needs to be enabled to use hugepages", "qm set 101 --numa 1"
      ),
      (
        "hugepages: 2\nnuma: 1\nmemory: 8193",
        "memory size '8193' is not a positive even integer; cannot use for hugepages",
        "qm set 101 --memory 8192"
      ),
      (
        "hugepages: any\nnuma: 1\nmemory: 8193",
        "memory size '8193' is not a positive even integer; cannot use for hugepages",
        "qm set 101 --memory 8192"
      ),
      (
        "hugepages: 2\nnuma: 1\nsockets: 2\nmemory: 8194",
        "memory size '4097' is not a positive even integer; cannot use for hugepages",
        "qm set 101 --memory 8192"
      ),
      (
        "hugepages: 1024\nnuma: 1\nmemory: 3000",
        "Memory size 3000 is not a multiple of the requested hugepages size 1024",
        "qm set 101 --memory 2048"
      ),
      (
        "hugepages: 1024\nnuma: 1\nsockets: 2\nmemory: 3072",
        "Memory size 1536 is not a multiple of the requested hugepages size 1024",
        "qm set 101 --memory 2048"
      ),
      (
        "numa: 1\nsockets: 3\nmemory: 8192", "total memory for NUMA nodes should equal RAM size",
        "qm set 101 --memory 8190"
      ),
      (
        "numa: 1\nmemory: 8192\nnuma0: cpus=0,memory=4096",
        "total memory for NUMA nodes must be equal to vm static memory",
        "qm set 101 --memory 4096, or other parts of it in numaN"
      ),
      (
        "numa: 1\nmemory: 8192\nnuma0: cpus=0,memory=4096\nnuma1: cpus=1,memory=4095.5",
        "total memory for NUMA nodes must be equal to vm static memory",
        "let memory= of all numaN come to 8192"
      ),
      (
        "numa: 1\nmemory: 512\nnuma0: cpus=0,memory=512\nnuma1: cpus=1",
        "missing NUMA node1 memory value", "put memory= into numa1"
      ),
      (
        "numa: 1\nmemory: 512\nnuma0: cpus=0,memory=512,hostnodes=0",
        "you need to define a policy for hostnode 0",
        "qm set 101 --numa0 'cpus=0,memory=512,hostnodes=0,policy=bind'"
      ),
      (
        "numa: 1\nhugepages: 2\nmemory: 512\nnuma0: cpus=0,memory=512",
        "numa hostnodes need to be defined to use hugepages",
        "qm set 101 --numa0 'cpus=0,memory=512,hostnodes=0,policy=bind'"
      ),
      (
        "numa: 1\nhugepages: 2\nmemory: 512\nnuma0: cpus=0,memory=512,hostnodes=0-1,policy=bind",
        "more than 1 hostnode value in numa node is not supported when hugepages are enabled",
        "name one node of 0 to 9 in hostnodes= of numa0"
      ),
      (
        "numa: 1\nhugepages: 1024\nmemory: 1536\nnuma0: cpus=0,memory=1536,hostnodes=0,policy=bind",
        "Memory size 1536 is not a multiple of the requested hugepages size 1024",
        "give numa0 a multiple of 1024 as memory="
      ),
      (
        "numa: 1\nhotplug: memory,disk\nmemory: 2048\nnuma0: cpus=0,memory=2048",
        "cannot enable memory hotplugging with custom NUMA topology", "qm set 101 --hotplug disk"
      ),
      (
        // After 32 modules of 512 MiB come those of 1 GiB.
        "numa: 1\nhotplug: memory\nmemory: 17920",
        "memory size (17920) must be aligned to 1024 for hotplugging", "qm set 101 --memory 17408"
      ),
      (
        "hotplug: memory\nmemory: 2048", "NUMA needs to be enabled for memory hotplug",
        "qm set 101 --numa 1"
      ),
      (
        "numa: 1\nhotplug: memory\nmemory: 512", "minimum memory must be 1024MB",
        "qm set 101 --memory 1024"
      ),
      (
        "numa: 1\nhotplug: memory\nmemory: 2000",
        "memory size (2000) must be aligned to 512 for hotplugging", "qm set 101 --memory 1536"
      ),
      (
        "numa: 1\nhotplug: memory\nmemory: 2048\nvirtiofs0: x",
        "Memory hotplug does not work in combination with virtio-fs.", "qm set 101 --hotplug 0"
      ),
      (
        "hostpci0: 01:00.0,pcie=1", "q35 machine model is not enabled", "qm set 101 --machine q35"
      ),
      (
        "cores: 2\nargs: -device x -smp 4,cores=2,threads=2",
        "Invalid CPU topology: product of the hierarchy must match maxcpus: sockets (1) * cores (2) * "
          + "threads (2) != maxcpus (2)",
        "replace -smp in args of 101 with -smp 4,cores=2,threads=2,maxcpus=4"
      ),
      (
        "template: 1\nhugepages: 2", "you can't start a vm if it's a template",
        "qm clone 101 NEWID, and start that"
      ),
    ] as [(String, String, String)])
  func knowsWhatIsRefused(lines: String, words: String, fix: String) throws {
    let found = try refusals(lines)
    #expect(found.map(\.words) == [words])
    #expect(found.map(\.fix) == [fix])
  }

  @Test(arguments: [
    "memory: 8193", "numa: 1\nmemory: 8193\nsockets: 2", "numa0: cpus=0,memory=1",
    "numa: 1\nhugepages: 2\nmemory: 8192\nsockets: 2", "numa: 1\nhugepages: any\nmemory: 8190",
    "numa: 1\nhugepages: 2\nmemory: 8193\nsockets: 2",
    "numa: 1\nmemory: 8192\nnuma0: cpus=0,memory=4096.5\nnuma1: cpus=1,memory=4095.5",
    "numa: 1\nhotplug: disk,memory\nmemory: 18432", "numa: 1\nhotplug: memory\nmemory: 1024",
    "machine: pc-q35-9.2+pve1\nhostpci0: 01:00.0,pcie=1",
    "machine: type=q35,viommu=virtio\nhostpci0: 01:00.0,pcie=1", "hostpci0: 01:00.0,pcie=0",
    "cores: 8\nargs: -smp 8,sockets=1,cores=4,threads=2", "hotplug: 1\nmemory: 512", "hotplug: 0",
  ])
  func knowsWhatStarts(lines: String) throws {
    #expect(try refusals("cores: 1\n" + lines) == [])
  }

  @Test func aQuoteThatIsNotClosedIsSaid() throws {
    let text = Array("cores: 8\nargs: -smp '8,cores=4,threads=2\n".utf8)
    let conf = try ProxmoxConf(text, named: "101.conf", vmid: "101")
    #expect(conf.domain.vcpus == 8 && conf.domain.proxmox?.guestThreads == nil)
    #expect(conf.warnings.map(\.line) == [2])
  }
}

/// `[PENDING]`, as the next start has it.
struct ProxmoxPendingTests {
  private let text = """
    cores: 4
    memory: 8192
    affinity: 6-9
    balloon: 0
    [PENDING]
    affinity: 10-13
    cores: 2
    # a note
    delete: memory,!balloon
    [old]
    cores: 1
    """

  private func domain(_ text: String, atNextStart: Bool) throws -> Domain {
    try ProxmoxConf(
      Array(text.utf8), named: "101.conf", vmid: "101", atNextStart: atNextStart
    ).domain
  }

  @Test func countsAtTheNextStartOnly() throws {
    let now = try domain(text, atNextStart: false)
    #expect(now.vcpus == 4 && now.proxmox?.affinity == [6, 7, 8, 9])
    #expect(now.proxmox?.pending == [] && now.proxmox?.hasBalloon == false)
    let next = try domain(text, atNextStart: true)
    #expect(next.vcpus == 2 && next.proxmox?.affinity == [10, 11, 12, 13])
    #expect(next.cells == [GuestCell(id: 0, memoryKiB: 512 << 10)])
    #expect(next.proxmox?.hasBalloon == true)
    #expect(next.proxmox?.pending == ["affinity", "balloon", "cores", "memory"])
  }

  @Test(arguments: ["lock: suspended\n", "vmstate: local:101/state\n"])
  func waitsWhereTheMachineIsHibernated(line: String) throws {
    let next = try domain(line + text, atNextStart: true)
    #expect(next.vcpus == 4 && next.proxmox?.affinity == [6, 7, 8, 9])
    #expect(next.proxmox?.isHibernated == true && next.proxmox?.pending == [])
    #expect(next.proxmox?.waiting == ["affinity", "balloon", "cores", "memory"])
  }

  @Test func aLineThatIsNoneIsIgnoredThereAsWell() throws {
    let conf = try ProxmoxConf(
      Array("cores: 4\n[pending]\ncores: many\nnonsense\n".utf8), named: "101.conf", vmid: "101",
      atNextStart: true)
    #expect(conf.domain.vcpus == 4)
    #expect(conf.warnings.map(\.line) == [1])
  }

  @Test func theMachineIsReadAsItsDomain() throws {
    let bytes = Array("cores: 4\nonboot: 0\n[PENDING]\nonboot: 1\nmachine: q35\n".utf8)
    let next = try ProxmoxMachine(bytes, named: "f", atNextStart: true)
    #expect(next.startsWithHost && next.machine.type == "q35")
    #expect(try !ProxmoxMachine(bytes, named: "f").startsWithHost)
  }
}
