internal import Advice
internal import HostModel
internal import Places

extension AdviceReport {
  private static let columns = 80

  /// The report as text: one candidate in full, the others in a line or two.
  func lines(showing number: Int) -> [Text] {
    var lines = [Text(wish.title, .bold)]
    if candidates.isEmpty {
      lines += shortages.flatMap { Self.listed("- ", $0, .red, indent: 2) }
      lines += notes.flatMap { Self.listed("note: ", $0, .faint, indent: 2) }
      return lines
    }
    for (index, place) in candidates.enumerated() {
      lines.append("")
      lines += index + 1 == number ? full(place, index + 1) : brief(place, index + 1)
    }
    if !notes.isEmpty { lines.append("") }
    lines += notes.flatMap { Self.listed("note: ", $0, .faint, indent: 0) }
    return lines + snippet(of: candidates[number - 1], number)
  }

  /// Words behind a label, wrapped.
  private static func listed(
    _ label: String, _ words: String, _ style: Terminal.Style?, indent: Int
  ) -> [Text] {
    let margin = String(repeating: " ", count: indent)
    return TopologyPlan.wrapped(words, indent: indent + label.count, columns: columns).enumerated()
      .map { index, line in
        let gap = String(repeating: " ", count: label.count)
        return Text(margin) + (index == 0 ? Text(label, style) : Text(gap)) + Text(line)
      }
  }

  private func heading(_ place: Place, _ number: Int) -> Text {
    Text("\(number)  \(place.whereabouts)", .bold) + Text("  score \(place.score)")
      + Text(place.present ? "  as it is now" : "", .green)
  }

  private func brief(_ place: Place, _ number: Int) -> [Text] {
    let flaw = place.costs.first.map { "; \($0.reason)" } ?? ""
    let words =
      "vCPUs on \(place.vcpuList), \(place.guest.title), \(place.memoryTitle)\(flaw)"
    return [heading(place, number)] + Self.listed("", words, nil, indent: 3)
  }

  private func full(_ place: Place, _ number: Int) -> [Text] {
    var rows: [(String, String)] = [
      ("vCPUs", place.vcpus.map(String.init).joined(separator: " ")),
      ("cores", place.cores.map { "[\($0)]" }.joined(separator: " ")),
      ("emulator", place.emulator.isEmpty ? "anywhere" : place.emulator),
    ]
    if !place.idle.isEmpty { rows.insert(("idle", "\(place.idle) (cpu.whole-cores)"), at: 2) }
    rows += place.iothreads.map { ("iothread \($0.id)", $0.cpus) }
    rows += [("guest", place.guest.title), ("memory", place.memoryTitle)]
    if place.cells.count > 1 {
      rows += place.cells.enumerated().map { index, cell in
        (
          "cell \(index)",
          "vCPUs \(cell.vcpus), \(MemorySize(kiB: cell.memoryKiB)) from node \(cell.memoryNode)"
        )
      }
    }
    rows.append(("host keeps", place.housekeeping))
    var lines = [heading(place, number)]
    let width = rows.map(\.0.count).max() ?? 0
    for (label, words) in rows {
      let padding = String(repeating: " ", count: width - label.count + 2)
      lines += Self.listed(label + padding, words, .faint, indent: 3)
    }
    lines += place.merits.flatMap { Self.listed("+ ", $0, .green, indent: 3) }
    lines += place.costs.flatMap { flaw in
      Self.listed("- ", "\(flaw.reason) (\(flaw.points))", .yellow, indent: 3)
    }
    lines += place.differences.flatMap { Self.listed("≠ ", $0, nil, indent: 3) }
    return lines
  }

  private func snippet(of place: Place, _ number: Int) -> [Text] {
    let isProxmox = format == Hypervisor.proxmox.rawValue
    let lines = isProxmox ? place.proxmox : place.libvirt
    let file = isProxmox ? "the VM's configuration" : "the domain's XML"
    return ["", Text("For \(file), candidate \(number)", .bold)]
      + lines.configuration.map { Text("  \($0)") }
      + ["", Text("For /etc/berth/berth.toml", .bold)] + lines.policy.map { Text("  \($0)") }
      + lines.remarks.flatMap { Self.listed("note: ", $0, .faint, indent: 2) }
  }
}

extension AdviceReport.WishReport {
  fileprivate var title: String {
    var parts = [counted(vcpus, "vCPU"), "\(MemorySize(kiB: memoryKiB))"]
    parts += pci.map { function in
      "\(function.address)\(function.node.map { " on node \($0)" } ?? "")"
    }
    return (domain.map { "\($0): " } ?? "") + parts.joined(separator: ", ") + "; for \(self.for)"
  }
}

extension AdviceReport.Place {
  /// Nodes, caches and the kind of cores, in a few words.
  fileprivate var whereabouts: String {
    var words = "node\(nodes.count == 1 ? "" : "s") "
    words += "\(CPUList(nodes))"
    if caches.count == 1, let cache = caches.first {
      // Numbers that alternate between caches make no list that one can read.
      words += cache.cpus.count <= 24 ? ", L3 of CPUs \(cache.cpus)" : ", one L3"
    } else if caches.count > 1 {
      words += ", \(caches.count) L3 caches"
    }
    return words + (kind.map { ", \($0) cores" } ?? "")
  }

  fileprivate var vcpuList: String { "\(CPUList(vcpus))" }

  fileprivate var memoryTitle: String {
    let memoryKiB = cells.reduce(0) { $0 + $1.memoryKiB }
    let pages =
      pageKiB.map { " in \(counted(memoryKiB / $0, "page")) of \(PageSize(kiB: $0))" } ?? ""
    let nodes = CPUList(cells.map(\.memoryNode))
    return "\(MemorySize(kiB: memoryKiB))\(pages) from node \(nodes)"
  }
}

extension AdviceReport.Shape {
  fileprivate var title: String {
    var parts: [String] = []
    if sockets > 1 { parts.append("\(sockets) sockets") }
    if dies > 1 { parts.append("\(dies) dies") }
    parts.append(counted(cores, "core"))
    if threads > 1 { parts.append("\(threads) threads") }
    return parts.joined(separator: " of ")
  }
}
