internal import Bytes
package import HostModel
internal import Port

/// qm(1), which takes Proxmox's locks.
package struct QM: ProxmoxTool {
  private let program: HostPath

  package init() { self.init(program: "/usr/sbin/qm") }

  init(program: HostPath) { self.program = program }

  package func setHookscript(
    _ volume: String?, of vmid: String, until deadline: Deadline
  ) throws(HostError) {
    let change = volume.map { ["--hookscript", $0] } ?? ["--delete", "hookscript"]
    let arguments = ["set", vmid] + change
    let ended = try Program.run(program, arguments, until: deadline)
    guard ended.status != 0 else { return }
    // Of several lines the last one has the reason, as Perl dies with it.
    let reason = String(decoding: ended.output, as: UTF8.self).fields(at: "\n").last
    throw HostError(
      .call, "qm \(arguments.joined(separator: " "))",
      diagnosis: String(reason?.trimmed.clipped(to: 300) ?? "it ended with \(ended.status)"))
  }
}
