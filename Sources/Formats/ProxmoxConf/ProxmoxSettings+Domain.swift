internal import HostModel

extension ProxmoxSettings {
  /// The domain that the settings make; a machine without a name is called `vmVMID`.
  func domain(vmid: String?) -> Domain {
    let processors = processors
    let vcpus = min(max(processors.maximum, processors.online), CPUList.capacity)
    var domain = Domain(
      hypervisor: .proxmox, name: name ?? "vm\(vmid ?? "")", id: vmid, vcpus: vcpus)
    var options = ProxmoxOptions(onlineVCPUs: min(processors.online, vcpus))
    domain.offVCPUs = CPUList(options.onlineVCPUs..<vcpus)
    options.configuredVCPUs = min(socketCount * cores, CPUList.capacity)
    options.guestThreads =
      QEMUArguments(arguments).values(of: "smp").isEmpty ? nil : processors.threads
    options.affinity = affinity
    options.hugepages = hugepages
    options.keepsHugepages = keepsHugepages
    options.hugepageParts = hugepages == nil || !hasNUMA ? [] : parts
    options.devices = devices.keys.sorted().compactMap { devices[$0] }
    options.iothreads = iothreads
    options.hasBalloon = balloonMiB != 0
    options.arguments = arguments
    options.lock = lock
    options.isTemplate = isTemplate
    options.refusals = refusals(vmid: vmid ?? "VMID")
    domain.iothreads = options.iothreads.count
    domain.iothreadIDs = Array(1..<(domain.iothreads + 1))
    domain.cells = cells
    domain.proxmox = options
    return domain
  }

  /// A number that is set: to Proxmox, 0 is none.
  private static func set(_ number: Int) -> Int? { number == 0 ? nil : number }

  var socketCount: Int { sockets.flatMap(Self.set) ?? smp.flatMap(Self.set) ?? 1 }

  /// The vCPUs that Proxmox asks for, and what `args` says after it.
  var processors: QEMUProcessors {
    let all = min(socketCount * cores, CPUList.capacity)
    var processors = QEMUProcessors(
      sockets: socketCount, cores: cores, online: vcpus.flatMap(Self.set) ?? all)
    processors.merge(QEMUArguments(arguments))
    return processors
  }

  /// The nodes of the guest that count: Proxmox looks at `numaN` only where `numa` is on.
  var guestNodes: [(id: Int, node: NUMANode)] {
    guard hasNUMA else { return [] }
    return nodes.keys.sorted().compactMap { id in nodes[id].map { (id, $0) } }
  }

  private var cells: [GuestCell] {
    if guestNodes.isEmpty { return [GuestCell(id: 0, memoryKiB: memoryMiB << 10)] }
    return guestNodes.filter { $0.node.memoryKiB > 0 }.map { id, node in
      GuestCell(
        id: id, memoryKiB: node.memoryKiB, hostNodes: node.hostNodes, mode: node.mode)
    }
  }

  /// The iothreads in the order of QEMU's arguments: those of SCSI disks first.
  ///
  /// A SCSI disk has one only where each has a controller of its own; otherwise Proxmox starts
  /// without it (`config_to_command()` in src/PVE/QemuServer.pm).
  private var iothreads: [String] {
    func names(_ disks: [Int: Bool], _ prefix: String) -> [String] {
      disks.keys.sorted().filter { disks[$0] == true }.map { "iothread-\(prefix)\($0)" }
    }
    let scsi = scsiController == "virtio-scsi-single" ? names(scsiDisks, "virtioscsi") : []
    return scsi + names(virtioDisks, "virtio")
  }

  /// The pieces that Proxmox takes the memory in (`hugepages_topology()` in
  /// src/PVE/QemuServer/Memory.pm): each `numaN` from its host node, or one for each socket, from
  /// the host node of the socket's number.
  private var parts: [HugepagePart] {
    if !guestNodes.isEmpty {
      return guestNodes.compactMap { _, node in
        guard let host = node.hostNodes, host.count == 1, let number = host.first else {
          return nil
        }
        return HugepagePart(sizeKiB: node.memoryKiB, node: number)
      }
    }
    let sockets = socketCount
    let boot = plugsMemory ? bootMiB : memoryMiB
    let sizeKiB = (boot << 10) / sockets
    return (0..<sockets).map { HugepagePart(sizeKiB: sizeKiB, node: $0) } + modules
  }

  /// The memory that is not in modules, where modules can be plugged.
  var bootMiB: Int { hugepages == .size(kiB: 1 << 20) ? 1024 * socketCount : 1024 }

  /// The modules that make up the rest: 32 of one size, then 32 of twice the size, and so on, by
  /// turns on each node (`foreach_dimm()` in src/PVE/QemuServer/Memory.pm).
  private var modules: [HugepagePart] {
    var modules: [HugepagePart] = []
    var size = hugepages == .size(kiB: 1 << 20) ? 1024 : 512
    var missing = plugsMemory ? memoryMiB - bootMiB : 0
    while missing > 0, modules.count < 256 {
      modules.append(HugepagePart(sizeKiB: size << 10, node: modules.count % 32 % socketCount))
      missing -= size
      if modules.count % 32 == 0 { size *= 2 }
    }
    return modules
  }

  /// What has no effect, each with the key that is to blame.
  var objections: [(key: String, sentence: String)] {
    var objections: [(String, String)] = []
    if !hasNUMA {
      for id in nodes.keys.sorted() {
        objections.append(("numa\(id)", "numa\(id) has no effect without “numa: 1”"))
      }
    }
    for number in devices.keys.sorted() {
      guard case .host(let selections)? = devices[number]?.source else { continue }
      for selection in selections where selection.function != nil && selection.address == nil {
        objections.append(("hostpci\(number)", "no PCI function can have the address \(selection)"))
      }
    }
    if QEMUArguments(arguments).isUnclosed {
      objections.append(
        ("args", "args has a quote that is not closed, so that Proxmox hands none of it to QEMU"))
    }
    if scsiController != "virtio-scsi-single" {
      for disk in scsiDisks.keys.sorted() where scsiDisks[disk] == true {
        objections.append(
          ("scsi\(disk)", "iothread= of scsi\(disk) has no effect without virtio-scsi-single"))
      }
    }
    return objections
  }
}
