internal import Bytes
internal import HostModel

extension Candidate {
  /// Lines of `/etc/pve/qemu-server/VMID.conf`; what Proxmox has no key for goes into the policy.
  func proxmoxSnippet(_ context: SnippetContext) -> Snippet {
    var snippet = Snippet(
      configuration: [], policy: commonPolicy(context, for: .proxmox), remarks: [])
    let memoryMiB = cells.map { ($0.memoryKiB + 1023) / 1024 }
    snippet.configuration += [
      "sockets: \(shape.sockets)", "cores: \(vcpus.count / shape.sockets)",
      "memory: \(memoryMiB.reduce(0, +))",
    ]
    appendNodes(memoryMiB, to: &snippet, context)
    snippet.configuration.append("affinity: \(CPUList(vcpus).union(emulator))")
    appendShape(to: &snippet, context)
    let pins = vcpus.map { "\"\($0)\"" }.joined(separator: ", ")
    snippet.policy.append("pins.vcpus = [\(pins)]")
    if !emulator.isEmpty {
      snippet.policy.append("pins.emulator = \"\(emulator)\"")
      // Proxmox counts its iothreads from 1; libvirt's numbers may be any.
      if let last = iothreads.map(\.id).max(), last <= 256 {
        let lists = (1...last).map { id in
          "\"\(iothreads.first { $0.id == id }.map { "\($0.cpus)" } ?? "")\""
        }
        snippet.policy.append("pins.iothreads = [\(lists.joined(separator: ", "))]")
      }
    }
    if sharesEmulator, goal == .latency {
      // A partition of the scope would take the host's own CPUs from the host.
      snippet.policy.append("isolation = \"slices\"")
    }
    return snippet
  }

  /// `numaN` and huge pages: Proxmox takes pages of 2 MiB and 1 GiB, from nodes 0 to 9, for at most
  /// eight nodes of the guest (src/PVE/QemuServer/Memory.pm).
  private func appendNodes(
    _ memoryMiB: [Int], to snippet: inout Snippet, _ context: SnippetContext
  ) {
    if cells.count == 1, pageKiB == nil, context.premises.topology.nodes.count < 2 { return }
    guard cells.count <= 8 else {
      snippet.remarks.append(
        "Proxmox gives a guest 8 nodes at most, so that its memory is not bound to nodes")
      return
    }
    snippet.configuration.append("numa: 1")
    for (index, cell) in cells.enumerated() {
      let cpus = "\(cell.vcpus)".replaced(",", by: ";")
      snippet.configuration.append(
        "numa\(index): cpus=\(cpus),hostnodes=\(cell.memoryNode),memory=\(memoryMiB[index]),"
          + "policy=bind")
    }
    guard let pageKiB else { return }
    let sizes = [2048: "2", 1 << 20: "1024"]
    if let size = sizes[pageKiB], cells.allSatisfy({ $0.memoryNode < 10 }) {
      snippet.configuration.append("hugepages: \(size)")
    } else {
      snippet.remarks.append(
        "Proxmox has no huge pages of \(PageSize(kiB: pageKiB)) from these nodes, so that ordinary "
          + "ones are used")
    }
  }

  /// Threads and dies, which Proxmox has no keys for: QEMU's last `-smp` counts.
  private func appendShape(to snippet: inout Snippet, _ context: SnippetContext) {
    if shape.threads > 1 || shape.dies > 1 {
      let dies = shape.dies > 1 ? ",dies=\(shape.dies)" : ""
      let smp =
        "\(vcpus.count),sockets=\(shape.sockets)\(dies),cores=\(shape.cores),"
        + "threads=\(shape.threads),maxcpus=\(vcpus.count)"
      let arguments = QEMUArguments(context.arguments)
      if arguments.isUnclosed { snippet.remarks.append("its args have a quote that is not closed") }
      let words = arguments.setting("smp", to: smp).words
      snippet.configuration.append("args: \(ShellWords.line(of: words))")
    }
    if shape.threads > 1, context.premises.isAMD {
      snippet.remarks.append(
        "on AMD the guest sees its threads only with the CPU flag topoext, which Proxmox has no "
          + "key for: “-cpu host,topoext=on” in args, with the other flags that it passes")
    }
  }
}
