import Testing

@testable import HostModel

struct QEMUArgumentsTests {
  /// `sockets`, `cores` and `vcpus` of a configuration, its `args`, and how many vCPUs there can be, are on, and
  /// have a core together.
  @Test(
    arguments: [
      (1, 8, 8, nil, 8, 8, 1), (2, 4, 3, nil, 8, 3, 1),
      (1, 8, 8, "-smp 8,sockets=1,cores=4,threads=2", 8, 8, 2),
      (1, 8, 8, "-smp '8,sockets=1,cores=4,threads=2' -foo", 8, 8, 2),
      (1, 8, 8, "-cpu 'host,x' -smp \"8,cores=4,threads=2\"", 8, 8, 2),
      (1, 2, 2, "-smp 6,cores=6,maxcpus=6", 6, 6, 1),
      (1, 2, 2, "-smp 6,cores=3,threads=2,maxcpus=6", 6, 6, 2),
      (1, 8, 8, "-smp 4", 8, 4, 1), (1, 8, 8, "--smp cpus=4", 8, 4, 1),
      // A number that QEMU works out.
      (1, 8, 8, "-smp 8,cores=4", 8, 8, 2),
      // The last of each key counts.
      (1, 8, 8, "-smp 4,cores=2 -smp cores=4,threads=2", 8, 4, 2),
      // No words are made of it, or no number.
      (1, 8, 8, "-smp '4,cores=2", 8, 8, 1), (1, 8, 8, "-smp x,cores=0", 8, 8, 1),
      (1, 8, 8, "-smp", 8, 8, 1),
    ] as [(Int, Int, Int, String?, Int, Int, Int)])
  func countsProcessorsAsQEMUDoes(
    sockets: Int, cores: Int, vcpus: Int, arguments: String?, most: Int, online: Int, threads: Int
  ) {
    var processors = QEMUProcessors(sockets: sockets, cores: cores, online: vcpus)
    processors.merge(QEMUArguments(arguments))
    #expect(processors.maximum == most && processors.online == online)
    #expect(processors.threads == threads && processors.objection == nil)
  }

  @Test(
    arguments: [
      (2, "-smp 4,cores=2,threads=2", "sockets (1) * cores (2) * threads (2) != maxcpus (2)", 4),
      (8, "-smp 8,cores=3,threads=2", "sockets (1) * cores (3) * threads (2) != maxcpus (8)", 8),
      (8, "-smp 8,dies=2", "sockets (1) * dies (2) * cores (8) * threads (0) != maxcpus (8)", 8),
      (8, "-smp 9", "maxcpus must be equal to or greater than smp", 9),
    ] as [(Int, String, String, Int)])
  func knowsWhatQEMUDoesNotStartWith(cores: Int, arguments: String, words: String, most: Int) throws
  {
    var processors = QEMUProcessors(sockets: 1, cores: cores, online: cores)
    processors.merge(QEMUArguments(arguments))
    let objection = try #require(processors.objection)
    #expect(objection.words.contains(words), "\(objection.words)")
    #expect(objection.maximum == most)
  }

  /// Whatever stands there, no product of it traps.
  @Test func numbersBeyondAllReasonAreNoMachine() {
    let levels = ["drawers", "books", "dies", "clusters", "modules", "threads"]
    let parts = levels.map { "\($0)=16384" }.joined(separator: ",")
    var processors = QEMUProcessors(sockets: .max, cores: .max, online: .max)
    processors.merge(QEMUArguments("-smp 16384,\(parts),maxcpus=16384"))
    #expect(processors.objection != nil && processors.maximum == 16384)
  }

  @Test func oneOptionIsSetAndNothingElseIsLost() {
    let arguments = QEMUArguments("-cpu 'host,x=a b' -smp 4 -device x -smp cores=2")
    let changed = arguments.setting("smp", to: "8,threads=2")
    #expect(changed.words == ["-cpu", "host,x=a b", "-device", "x", "-smp", "8,threads=2"])
    #expect(
      changed.command(for: "100")
        == "qm set 100 --args '-cpu \"host,x=a b\" -device x -smp 8,threads=2'")
  }

  @Test func findsTheDevicesOfVFIO() throws {
    let address = try #require(PCIAddress("0000:01:00.1"))
    let text = """
      -device vfio-pci,host=01:00.1,id=a -device driver=vfio-pci,host=0000:01:00.1 -device virtio-net
      -device vfio-pci,sysfsdev=/sys/bus/pci/devices/0000:01:00.1
      -device vfio-pci,sysfsdev=/sys/bus/mdev/devices/6f1a52c6-9a3c-4c8b-8a52-3f1a0a7c11d0
      -device '{"driver":"vfio-pci","host":"0000:01:00.1"}' -device vfio-pci -device '{"driver":"x"}'
      -device vfio-pci,host=nonsense -device
      """
    #expect(
      QEMUArguments(text).devices == [
        .function(address), .function(address), .function(address),
        .mediated("6f1a52c6-9a3c-4c8b-8a52-3f1a0a7c11d0"),
        .unread("{\"driver\":\"vfio-pci\",\"host\":\"0000:01:00.1\"}"), .unread("vfio-pci"),
        .unread("vfio-pci,host=nonsense"),
      ])
  }
}
