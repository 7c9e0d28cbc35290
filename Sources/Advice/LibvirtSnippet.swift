internal import HostModel

extension Candidate {
  /// Elements that stand directly below `<domain>`.
  func libvirtSnippet(_ context: SnippetContext) -> Snippet {
    var remarks: [String] = []
    if vcpus.count > 255, context.premises.hasDies {
      remarks.append(
        "more than 255 vCPUs need the machine q35 and <iommu> with intremap='on' and eim='on'")
    }
    let lines =
      ["<memory unit='KiB'>\(memoryKiB)</memory>"] + threadElements + tuningElements
      + memoryElements(context) + cpuElements(context)
    return Snippet(
      configuration: lines, policy: commonPolicy(context, for: .libvirt), remarks: remarks)
  }

  private var threadElements: [String] {
    var lines = ["<vcpu placement='static'>\(vcpus.count)</vcpu>"]
    if iothreads.isEmpty { return lines }
    lines.append("<iothreads>\(iothreads.count)</iothreads>")
    if iothreads.map(\.id) != Array(1...iothreads.count) {
      lines.append("<iothreadids>")
      lines += iothreads.map { "  <iothread id='\($0.id)'/>" }
      lines.append("</iothreadids>")
    }
    return lines
  }

  private var tuningElements: [String] {
    var pins = vcpus.enumerated().map { vcpu, cpu in
      "  <vcpupin vcpu='\(vcpu)' cpuset='\(cpu)'/>"
    }
    if !emulator.isEmpty { pins.append("  <emulatorpin cpuset='\(emulator)'/>") }
    pins += iothreads.filter { !$0.cpus.isEmpty }.map { thread in
      "  <iothreadpin iothread='\(thread.id)' cpuset='\(thread.cpus)'/>"
    }
    return ["<cputune>"] + pins + ["</cputune>"]
  }

  private func memoryElements(_ context: SnippetContext) -> [String] {
    var lines: [String] = []
    // A host of one node may have a kernel without NUMA, on which libvirt takes no <numatune>.
    if context.premises.topology.nodes.count > 1 {
      let nodes = CPUList(cells.map(\.memoryNode))
      lines += ["<numatune>", "  <memory mode='strict' nodeset='\(nodes)'/>"]
      if cells.count > 1 {
        lines += cells.enumerated().map { id, cell in
          "  <memnode cellid='\(id)' mode='strict' nodeset='\(cell.memoryNode)'/>"
        }
      }
      lines.append("</numatune>")
    }
    if let pageKiB {
      lines += [
        "<memoryBacking>", "  <hugepages>", "    <page size='\(pageKiB)' unit='KiB'/>",
        "  </hugepages>", "</memoryBacking>",
      ]
    }
    return lines
  }

  private func cpuElements(_ context: SnippetContext) -> [String] {
    // Before 6.1, libvirt knows no dies.
    let dies = shape.dies > 1 ? " dies='\(shape.dies)'" : ""
    var lines = [
      "<cpu mode='host-passthrough' check='none'>",
      "  <topology sockets='\(shape.sockets)'\(dies) cores='\(shape.cores)' "
        + "threads='\(shape.threads)'/>",
    ]
    if context.premises.isAMD, shape.threads > 1 {
      lines.append("  <feature policy='require' name='topoext'/>")
    }
    if cells.count > 1 {
      lines.append("  <numa>")
      lines += cells.enumerated().map { id, cell in
        "    <cell id='\(id)' cpus='\(cell.vcpus)' memory='\(cell.memoryKiB)' unit='KiB'/>"
      }
      lines.append("  </numa>")
    }
    return lines + ["</cpu>"]
  }
}
