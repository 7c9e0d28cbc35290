internal import Bytes
internal import HostModel

/// What Proxmox and QEMU end a start for by themselves, as far as the configuration alone tells
/// (qemu-server 9.2.6).
extension ProxmoxSettings {
  /// Each sentence is Proxmox's own, or QEMU's; a machine may be given several, of which Proxmox says the first.
  func refusals(vmid: String) -> [ProxmoxRefusal] {
    if isTemplate {
      let words = "you can't start a vm if it's a template"
      return [ProxmoxRefusal(words, fix: "qm clone \(vmid) NEWID, and start that")]
    }
    return memoryRefusals(vmid) + nodeRefusals(vmid) + divisionRefusals(vmid)
      + processorRefusals(vmid) + deviceRefusals(vmid)
  }

  /// The memory that is there from the start, in MiB (`config()` in src/PVE/QemuServer/Memory.pm).
  private var staticMiB: Int { plugsMemory ? bootMiB : memoryMiB }

  // MARK: Memory

  private func memoryRefusals(_ vmid: String) -> [ProxmoxRefusal] {
    var refusals: [ProxmoxRefusal] = []
    let unplugged = hotplug.filter { !$0.isSame(as: "memory") }.joined(separator: ",")
    let noHotplug = "qm set \(vmid) --hotplug \(unplugged.isEmpty ? "0" : unplugged)"
    if hugepages != nil, !hasNUMA {
      refusals.append(
        ProxmoxRefusal(
          "numa needs to be enabled to use hugepages", fix: "qm set \(vmid) --numa 1"))
    }
    guard plugsMemory else { return refusals }
    if !hasNUMA {
      refusals.append(
        ProxmoxRefusal(
          "NUMA needs to be enabled for memory hotplug", fix: "qm set \(vmid) --numa 1"))
    }
    if !nodes.isEmpty {
      refusals.append(
        ProxmoxRefusal(
          "cannot enable memory hotplugging with custom NUMA topology", fix: noHotplug))
    }
    if memoryMiB < bootMiB {
      refusals.append(
        ProxmoxRefusal(
          "minimum memory must be \(bootMiB)MB", fix: "qm set \(vmid) --memory \(bootMiB)"))
    }
    if hasVirtioFS {
      refusals.append(
        ProxmoxRefusal(
          "Memory hotplug does not work in combination with virtio-fs.", fix: noHotplug))
    }
    if let (least, size) = misfit {
      refusals.append(
        ProxmoxRefusal(
          "memory size (\(memoryMiB)) must be aligned to \(size) for hotplugging",
          fix: "qm set \(vmid) --memory \(least)"))
    }
    return refusals
  }

  /// What the memory comes to before the first module that is too large for the rest, and the size of that; nil
  /// where there is none (`foreach_dimm()` in src/PVE/QemuServer/Memory.pm).
  private var misfit: (least: Int, size: Int)? {
    var size = hugepages == .size(kiB: 1 << 20) ? 1024 : 512
    var sum = bootMiB
    var count = 0
    while sum < memoryMiB, count < 256 {
      if sum + size > memoryMiB { return (sum, size) }
      sum += size
      count += 1
      if count % 32 == 0 { size *= 2 }
    }
    return nil
  }

  // MARK: numaN

  private func nodeRefusals(_ vmid: String) -> [ProxmoxRefusal] {
    var refusals: [ProxmoxRefusal] = []
    for (id, node) in guestNodes {
      func set(_ parts: String) -> String { "qm set \(vmid) --numa\(id) '\(node.text)\(parts)'" }
      if node.memoryMiB == 0 {
        refusals.append(
          ProxmoxRefusal("missing NUMA node\(id) memory value", fix: "put memory= into numa\(id)"))
      }
      guard let hostNodes = node.hostNodes else {
        if hugepages != nil {
          refusals.append(
            ProxmoxRefusal(
              "numa hostnodes need to be defined to use hugepages",
              fix: set(",hostnodes=0" + (node.mode == nil ? ",policy=bind" : ""))))
        }
        continue
      }
      if node.mode == nil {
        refusals.append(
          ProxmoxRefusal(
            "you need to define a policy for hostnode \(hostNodes)", fix: set(",policy=bind")))
      }
      if hugepages != nil, hostNodes.count != 1 || (hostNodes.first ?? 10) > 9 {
        refusals.append(
          ProxmoxRefusal(
            "more than 1 hostnode value in numa node is not supported when hugepages are enabled",
            fix: "name one node of 0 to 9 in hostnodes= of numa\(id)"))
      }
    }
    let sum = guestNodes.reduce(0) { $0 + $1.node.memoryMiB }
    if !plugsMemory, sum > 0, sum != Double(staticMiB) {
      let isWhole = sum == sum.rounded() && sum >= 16
      refusals.append(
        ProxmoxRefusal(
          "total memory for NUMA nodes must be equal to vm static memory",
          fix: isWhole
            ? "qm set \(vmid) --memory \(Int(sum)), or other parts of it in numaN"
            : "let memory= of all numaN come to \(staticMiB)"))
    }
    return refusals
  }

  // MARK: Division into pages and sockets

  private func divisionRefusals(_ vmid: String) -> [ProxmoxRefusal] {
    guard hasNUMA else { return [] }
    if !guestNodes.isEmpty {
      return guestNodes.compactMap { id, node in
        pageWords(node.memoryMiB).map {
          ProxmoxRefusal($0, fix: "give numa\(id) a multiple of \(granuleMiB) as memory=")
        }
      }
    }
    let step = granuleMiB * socketCount
    let nearest = max(step, memoryMiB / step * step)
    let fix =
      plugsMemory
      ? "give it a number of sockets that divides \(bootMiB)" : "qm set \(vmid) --memory \(nearest)"
    if let words = pageWords(Double(staticMiB) / Double(socketCount)) {
      return [ProxmoxRefusal(words, fix: fix)]
    }
    // Each node's part is handed to QEMU in MiB with a fraction, and cut off at a byte there.
    guard (staticMiB << 20) % socketCount != 0 else { return [] }
    return [
      ProxmoxRefusal(
        "total memory for NUMA nodes should equal RAM size", by: .qemu, fix: fix)
    ]
  }

  /// What each part of the memory has to be a multiple of, in MiB.
  private var granuleMiB: Int {
    switch hugepages {
    case .size(let kiB): kiB >> 10
    case .any: 2
    case nil: 1
    }
  }

  /// Why a part of the memory is not made up of huge pages, which Proxmox finds out without its fraction
  /// (`hugepages_size()` in src/PVE/QemuServer/Memory.pm).
  private func pageWords(_ sizeMiB: Double) -> String? {
    guard let hugepages, sizeMiB > 0 else { return nil }
    let whole = Int(nearest: sizeMiB.rounded(.down))
    let shown = sizeMiB == sizeMiB.rounded() ? "\(whole)" : "\(sizeMiB)"
    if whole % 2 == 1 {
      return
        "memory size '\(shown)' is not a positive even integer; cannot use for hugepages"
    }
    guard case .size(let kiB) = hugepages, whole % (kiB >> 10) != 0 else { return nil }
    return "Memory size \(shown) is not a multiple of the requested hugepages size \(kiB >> 10)"
  }

  // MARK: The rest

  private func processorRefusals(_ vmid: String) -> [ProxmoxRefusal] {
    guard let (words, maximum) = processors.objection else { return [] }
    let arguments = QEMUArguments(arguments)
    var parts: [(key: String, value: String)] = []
    for value in arguments.values(of: "smp") {
      for part in QEMUArguments.parts(of: value, first: "cpus") {
        parts.removeAll { $0.key == part.key }
        parts.append(part)
      }
    }
    parts.removeAll { $0.key == "maxcpus" }
    // Without its key a number is the first part's alone.
    parts = parts.filter { $0.key == "cpus" } + parts.filter { $0.key != "cpus" }
    parts.append(("maxcpus", "\(maximum)"))
    let value = parts.map { $0.key == "cpus" ? $0.value : "\($0.key)=\($0.value)" }
    // What else is there may be a secret.
    return [
      ProxmoxRefusal(
        words, by: .qemu,
        fix: "replace -smp in args of \(vmid) with -smp \(value.joined(separator: ","))")
    ]
  }

  private func deviceRefusals(_ vmid: String) -> [ProxmoxRefusal] {
    let isExpress = devices.values.contains(where: \.isExpress)
    // `machine_type_is_q35()` in src/PVE/QemuServer/Machine.pm
    if !isExpress || machine?.has(text: "q35") == true { return [] }
    return [
      ProxmoxRefusal("q35 machine model is not enabled", fix: "qm set \(vmid) --machine q35")
    ]
  }
}
