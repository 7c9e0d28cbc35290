import Bytes
import Formats
import HostModel
import Recorded
import Support
import Testing

@testable import Facts

/// What the host makes Proxmox refuse, on the recorded node: CPUs 0-15, a node, a GPU that is 0000:01:00.0 and a NIC
/// that is 0000:02:00.0.
struct ProxmoxRefusalsTests {
  private let folder = TemporaryDirectory()
  private let mapping = """
    gpu
    \tmap id=10de:1eb8,iommugroup=1,node=host,path=0000:01:00.0

    nic
    \tmap id=8086:1521,iommugroup=2,node=other,path=0000:02:00.0

    both
    \tmap id=8086:1521,iommugroup=2,node=host,path=0000:02:00.0
    \tmap id=8086:1521,iommugroup=2,node=host,path=0000:09:00.0

    changed
    \tmap id=1002:744c,iommugroup=2,node=host,path=0000:02:00.0

    moved
    \tmap id=8086:1521,iommugroup=7,node=host,path=0000:02:00.0

    ungrouped
    \tmap id=8086:1521,node=host,path=0000:02:00

    owned
    \tmap id=8086:1521,iommugroup=2,node=host,path=0000:02:00.0,subsystem-id=8086:0001

    shared
    \tmdev 1
    \tmap id=8086:1521,iommugroup=2,node=host,path=0000:02:00.0

    """

  private func refusals(
    _ lines: String, having more: String = ""
  ) throws -> [ProxmoxRefusal] {
    try RecordedHost(at: Workstation.file("proxmox-node.host")).unpack(into: folder.path)
    let text = mapping.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.replacing("\t", with: "\\t") }.joined(separator: "\n\t")
    try RecordedHost(parsing: "etc/pve/mapping/pci.cfg\t\(text)\n" + more, from: "test")
      .unpack(into: folder.path)
    let conf = try ProxmoxConf(Array(lines.utf8), named: "300.conf", vmid: "300")
    var domain = conf.domain
    #expect(domain.proxmox?.refusals == [])
    _ = try ProxmoxHost(kernel: RecordedKernel(root: folder.path)).settle(&domain)
    return domain.proxmox?.refusals ?? []
  }

  /// The lines, Proxmox's words, and words of what puts it right.
  @Test(
    arguments: [
      (
        "cores: 17", "MAX 16 vcpus allowed per VM on this node", "qm set 300 --sockets 1 --cores 16"
      ),
      ("cores: 9\nsockets: 2", "MAX 16 vcpus allowed per VM on this node", "--cores 16"),
      (
        "numa: 1\nmemory: 512\nnuma0: cpus=0,memory=512,hostnodes=0-1,policy=bind",
        "host NUMA node1 doesn't exist", "hostnodes="
      ),
      ("hostpci0: 0000:98:00", "no PCI device found for '0000:98:00'", "berth topology"),
      ("hostpci0: 01:00.0;98:00", "no PCI device found for '0000:98:00'", "berth topology"),
      ("hostpci0: mapping=none", "PCI device mapping not found for 'none'", "hostpci0"),
      (
        "hostpci3: mapping=nic", "PCI device mapping not found for 'nic'",
        "a map line with node=host"
      ),
      (
        "hostpci0: mapping=both",
        "PCI device mapping invalid (hardware probably changed): pci device '0000:09:00.0' not found",
        "path="
      ),
      (
        "hostpci0: mapping=changed",
        "PCI device mapping invalid (hardware probably changed): 'id' does not match for 'changed' "
          + "(8086:1521 != 1002:744c)",
        "under changed, if that is the device: map id=8086:1521,iommugroup=2,node=host,path=0000:02:00.0"
      ),
      (
        "hostpci0: mapping=moved",
        "PCI device mapping invalid (hardware probably changed): 'iommugroup' does not match for 'moved' "
          + "(2 != 7)", "iommugroup=2"
      ),
      (
        "hostpci0: mapping=ungrouped",
        "PCI device mapping invalid (hardware probably changed): missing expected property 'iommugroup' "
          + "for device '0000:02:00.0'", "path=0000:02:00"
      ),
      (
        "hostpci0: mapping=owned",
        "PCI device mapping invalid (hardware probably changed): unexpected property 'subsystem-id' "
          + "configured for device '0000:02:00.0'", "map id=8086:1521"
      ),
      (
        "hostpci0: mapping=shared",
        "PCI device mapping invalid (hardware probably changed): 'mdev' does not match for 'shared' (0 != 1)",
        "--mdev 0"
      ),
      (
        "hostpci0: 0000:02:00.0,mdev=i915-GVTg_V5_4",
        "pci device '0000:02:00.0' does not support mediated devices", "hostpci0"
      ),
      (
        "cores: 1\nargs: -device vfio-pci,sysfsdev=/sys/bus/mdev/devices/6f1a52c6",
        "no such host device", "mdevctl"
      ),
    ] as [(String, String, String)])
  func knowsWhatIsRefused(lines: String, words: String, fix: String) throws {
    let found = try refusals(lines)
    #expect(found.count == 1 && found[0].words.contains(words), "\(found)")
    #expect(found.first?.fix.contains(fix) == true, "\(found)")
  }

  @Test(arguments: [
    "cores: 16", "hostpci0: mapping=gpu", "hostpci0: 0000:01:00", "hostpci0: 01:00.0;02:00",
    "hostpci0: 0000:99:00.0",
    "numa: 1\nmemory: 512\nnuma0: cpus=0,memory=512,hostnodes=0,policy=bind",
    "cores: 2\nargs: -smp 32,cores=32,maxcpus=32",
  ])
  func knowsWhatStarts(lines: String) throws {
    #expect(try refusals(lines) == [])
  }

  @Test func aMediatedTypeHasToBeThereAndFree() throws {
    let folder = "sys/bus/pci/devices/0000:02:00.0/mdev_supported_types"
    let types = "\(folder)/a/available_instances\t1\n\(folder)/b/available_instances\t0\n"
    func words(_ type: String) throws -> [String] {
      try refusals("hostpci0: 0000:02:00.0,mdev=\(type)", having: types).map(\.words)
    }
    #expect(try words("a") == [])
    #expect(try words("b") == ["pci device '0000:02:00.0' has no available instances of 'b'"])
    #expect(try words("c") == ["pci device '0000:02:00.0' has no type 'c'"])
  }

  @Test func aFunctionOfArgsIsBoundByBerth() throws {
    try RecordedHost(at: Workstation.file("proxmox-node.host")).unpack(into: folder.path)
    let text = "cores: 2\nargs: -device vfio-pci,host=02:00.0 -device vfio-pci\n"
    var domain = try ProxmoxConf(Array(text.utf8), named: "300.conf", vmid: "300").domain
    let warnings = try ProxmoxHost(kernel: RecordedKernel(root: folder.path)).settle(&domain)
    let address = try #require(PCIAddress("0000:02:00.0"))
    #expect(
      domain.functions == [PassedFunction(address: address, isManaged: false, kind: .hostpci)])
    #expect(warnings.count == 1 && warnings[0].contains("neither bound nor given back"))
  }
}
