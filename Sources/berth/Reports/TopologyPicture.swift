internal import HostModel

/// A host's floor plan as a picture, for a wiki or a ticket: SVG 1.1 without scripts or fonts of
/// its own.
struct TopologyPicture {
  private let plan: TopologyPlan
  private var body = ""
  /// How far down the next thing goes.
  private var y = 34.0

  private static let width = 1000.0
  private static let margin = 20.0
  private static let colours = [
    "#4878cf", "#6acc65", "#d65f5f", "#b47cc7", "#c4ad66", "#77bedb", "#e17c05", "#5f6b7a",
  ]

  init(_ plan: TopologyPlan) {
    self.plan = plan
    text(plan.title, x: Self.margin, size: 18, weight: 600)
    y += 14
    drawLegend()
    for node in plan.nodes { draw(node) }
  }

  var svg: String {
    let height = Int(y + Self.margin)
    let width = Int(Self.width)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
      viewBox="0 0 \(width) \(height)" font-family="system-ui, sans-serif" fill="#1a1a1a">
      <rect width="\(width)" height="\(height)" fill="#ffffff"/>
      \(body)</svg>

      """
  }

  private mutating func drawLegend() {
    for (index, guest) in plan.guests.enumerated() {
      y += 22
      box(x: Self.margin, y: y - 13, width: 16, height: 16, fill: Self.colour(index))
      let facts = TopologyPlan.wrapped("\(guest.name): \(guest.facts)", indent: 0, columns: 120)
      for (index, line) in facts.enumerated() {
        if index > 0 { y += 18 }
        text(line, x: Self.margin + 24, size: 13)
      }
    }
    if !plan.guests.isEmpty {
      y += 22
      text(
        "full colour: vCPUs; pale: QEMU's other threads; striped: vCPUs of several VMs",
        x: Self.margin, size: 12, fill: "#666666")
    }
    for line in remarks {
      y += 20
      text(line, x: Self.margin, size: 13)
    }
    y += 18
  }

  private var remarks: [String] {
    var remarks: [String] = []
    if !plan.isolated.isEmpty {
      remarks.append("isolated CPUs \(plan.isolated); the host has \(plan.housekeeping)")
    }
    if !plan.offline.isEmpty { remarks.append("offline CPUs \(plan.offline)") }
    return remarks
  }

  private mutating func draw(_ node: TopologyPlan.Node) {
    let top = y
    let outer = body
    body = ""
    y += 26
    text(node.title, x: Self.margin + 14, size: 16, weight: 600)
    text(node.facts.joined(separator: ", "), x: Self.margin + 100, size: 13)
    for group in node.groups { draw(group) }
    if !node.functions.isEmpty { y += 6 }
    for function in node.functions {
      y += 19
      text(function.address, x: Self.margin + 14, size: 12, family: "monospace")
      text(function.what, x: Self.margin + 130, size: 12)
      text(
        function.facts, x: Self.margin + 330, size: 12,
        fill: function.isNarrow ? "#b8500b" : "#1a1a1a")
    }
    y += 14
    let inner = body
    body = outer
    box(
      x: Self.margin, y: top, width: Self.width - 2 * Self.margin, height: y - top,
      fill: "#f4f5f7", stroke: "#9aa0a6", radius: 6)
    body += inner
    y += 16
  }

  private mutating func draw(_ group: TopologyPlan.Group) {
    y += 22
    for (index, line) in TopologyPlan.wrapped(group.title, indent: 0, columns: 140).enumerated() {
      if index > 0 { y += 16 }
      text(line, x: Self.margin + 14, size: 12, fill: "#555555")
    }
    y += 6
    var x = Self.margin + 14
    for core in group.cores {
      let width = Double(core.count) * Self.cpuWidth + 6
      if x + width > Self.width - Self.margin - 14 {
        x = Self.margin + 14
        y += 34
      }
      draw(core, x: x, width: width)
      x += width + 6
    }
    y += 32
  }

  private static let cpuWidth = 34.0

  private mutating func draw(_ core: [TopologyPlan.CPU], x: Double, width: Double) {
    box(x: x, y: y, width: width, height: 28, fill: "#ffffff", stroke: "#9aa0a6", radius: 3)
    for (index, cpu) in core.enumerated() {
      let left = x + 3 + Double(index) * Self.cpuWidth
      let colour = cpu.guest.map(Self.colour)
      switch cpu.use {
      case .none: box(x: left, y: y + 3, width: Self.cpuWidth - 1, height: 22, fill: "#eceff1")
      case .vcpu:
        box(x: left, y: y + 3, width: Self.cpuWidth - 1, height: 22, fill: colour ?? "#eceff1")
      case .other:
        box(
          x: left, y: y + 3, width: Self.cpuWidth - 1, height: 22, fill: colour ?? "#eceff1",
          opacity: 0.3)
      case .shared:
        box(x: left, y: y + 3, width: Self.cpuWidth - 1, height: 22, fill: "#d65f5f")
        box(x: left, y: y + 11, width: Self.cpuWidth - 1, height: 6, fill: "#ffffff")
      }
      text(
        "\(cpu.id)", x: left + Self.cpuWidth / 2, y: y + 18, size: 11,
        fill: cpu.use == .vcpu ? "#ffffff" : "#1a1a1a", anchor: "middle")
    }
  }

  private static func colour(_ guest: Int) -> String { colours[guest % colours.count] }
}

extension TopologyPicture {
  private mutating func text(
    _ words: String, x: Double, y: Double? = nil, size: Int, weight: Int = 400,
    fill: String = "#1a1a1a", anchor: String = "start", family: String? = nil
  ) {
    let family = family.map { " font-family=\"\($0)\"" } ?? ""
    body +=
      "<text x=\"\(Int(x))\" y=\"\(Int(y ?? self.y))\" font-size=\"\(size)\" "
      + "font-weight=\"\(weight)\" fill=\"\(fill)\" text-anchor=\"\(anchor)\"\(family)>"
      + Escape.markup(words) + "</text>\n"
  }

  private mutating func box(
    x: Double, y: Double, width: Double, height: Double, fill: String, stroke: String = "none",
    radius: Int = 2, opacity: Double = 1
  ) {
    body +=
      "<rect x=\"\(Int(x))\" y=\"\(Int(y))\" width=\"\(Int(width))\" height=\"\(Int(height))\" "
      + "rx=\"\(radius)\" fill=\"\(fill)\" stroke=\"\(stroke)\" fill-opacity=\"\(opacity)\"/>\n"
  }
}
