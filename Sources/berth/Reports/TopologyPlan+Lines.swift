internal import Bytes
internal import HostModel

extension TopologyPlan {
  private static let columns = 80

  /// The plan as text of 80 columns.
  ///
  /// A core is a pair of brackets with its threads in it. Behind a CPU that a guest is pinned to
  /// stands the guest's letter: a capital for a vCPU, a small one for anything else of it, and `+`
  /// where several guests have vCPUs.
  var lines: [Text] {
    var lines = [Text(title, .bold)]
    for guest in guests {
      let label = "  \(guest.letter)  "
      lines += Self.wrapped(
        "\(guest.name): \(guest.facts)", indent: label.count
      ).enumerated().map { index, line in
        index == 0 ? Text(label, .green) + Text(line) : Text(blanks(label.count) + line)
      }
    }
    if !isolated.isEmpty {
      lines.append(Text("isolated CPUs \(isolated); the host has \(housekeeping)"))
    }
    if !offline.isEmpty { lines.append(Text("offline CPUs \(offline)")) }
    return lines + nodes.flatMap { drawn($0) }
  }

  private func drawn(_ node: Node) -> [Text] {
    let facts = Self.wrapped(node.facts.joined(separator: ", "), indent: node.title.count + 2)
    var lines: [Text] = [""]
    lines.append(Text(node.title, .bold) + Text(node.facts.isEmpty ? "" : "  \(facts.first ?? "")"))
    lines += facts.dropFirst().map { Text(blanks(node.title.count + 2) + $0) }
    let width = nodes.flatMap(\.groups).flatMap(\.cores).joined().map { "\($0.id)".count }.max()
    for group in node.groups {
      lines += Self.wrapped(group.title, indent: 2).filter { !$0.isEmpty }.map {
        Text("  \($0)", .faint)
      }
      lines += rows(of: group, width: width ?? 1)
    }
    var table = Table()
    for function in node.functions {
      table.append(
        Text(function.address), Text(function.what),
        Text(function.facts, function.isNarrow ? .yellow : nil))
    }
    return lines + table.lines(indent: 2)
  }

  private func rows(of group: Group, width: Int) -> [Text] {
    var rows: [Text] = []
    var row = Text("   ")
    for core in group.cores {
      let cell = cell(of: core, width: width)
      if row.width + 1 + cell.width > Self.columns {
        rows.append(row)
        row = Text("   ")
      }
      row = row + Text(" ") + cell
    }
    return rows + [row]
  }

  private func cell(of core: [CPU], width: Int) -> Text {
    var cell = Text("[")
    for (index, cpu) in core.enumerated() {
      let number = "\(cpu.id)"
      cell = cell + Text((index == 0 ? "" : " ") + blanks(width - number.count) + number)
      cell = cell + mark(of: cpu)
    }
    return cell + Text("]")
  }

  private func mark(of cpu: CPU) -> Text {
    let letter = cpu.guest.map { guests[$0].letter } ?? ""
    return switch cpu.use {
    case .none: Text(" ")
    case .vcpu: Text(letter, .green)
    case .other: Text(letter.lowercased(), .green)
    case .shared: Text("+", .yellow)
    }
  }

  /// Words in lines that end before a column, `indent` columns from the left.
  ///
  /// A list of CPUs is one word and may be longer than a line: it is cut behind commas.
  static func wrapped(_ text: String, indent: Int, columns: Int = columns) -> [String] {
    let room = max(20, columns - indent)
    var lines: [String] = [""]
    for word in text.fields(at: " ") {
      var joint = " "
      let isLong = word.count > room / 2
      for piece in isLong ? pieces(of: word) : [String(word)] {
        let last = lines.count - 1
        if lines[last].isEmpty {
          lines[last] = piece
        } else if lines[last].count + joint.count + piece.count <= room {
          lines[last] += joint + piece
        } else {
          lines.append(piece)
        }
        joint = ""
      }
    }
    return lines
  }

  private static func pieces(of word: Substring) -> [String] {
    let parts = word.fields(at: ",", keepingEmpty: true).map(String.init)
    return parts.dropLast().map { "\($0)," } + parts.suffix(1)
  }
}

private func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
