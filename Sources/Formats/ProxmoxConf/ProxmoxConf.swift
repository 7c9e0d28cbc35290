internal import Bytes
package import HostModel

/// The configuration of one virtual machine, `/etc/pve/qemu-server/VMID.conf`.
///
/// The rules are those of Proxmox's own reader (`parse_vm_config()` in src/PVE/QemuServer.pm): only
/// what stands before the first section runs, a line that means nothing is ignored with a warning,
/// of the lines of one key the last good one counts.
package struct ProxmoxConf: Hashable, Sendable {
  package var domain: Domain
  /// What Proxmox ignores, and what it will refuse to start with, in the order of the lines.
  package var warnings: [ProxmoxProblem]

  /// The most bytes of a file in `/etc/pve`.
  package static let capacity = 1 << 20

  /// Reads a configuration as on a host with huge pages of 2 MiB and 1 GiB, of whose PCI functions
  /// nothing is known; `Domain.settle` puts in what the host really has.
  ///
  /// What waits in `[PENDING]` counts from the next start on, before whose first hook Proxmox has put it in
  /// (`vm_start_nolock()` in src/PVE/QemuServer.pm).
  ///
  /// - Throws: Where the text is no such configuration at all.
  package init(
    _ bytes: [UInt8], named file: String, vmid: String?, atNextStart: Bool = false
  ) throws(ProxmoxProblem) {
    var lines = try ProxmoxLines(bytes, named: file)
    let isHibernated = lines.isHibernated
    if atNextStart { lines.applyPending() }
    var settings = ProxmoxSettings()
    for line in lines.settings {
      do throws(ProxmoxValueError) {
        try settings.set(line.key, to: line.value)
        settings.lines[line.key] = line.number
      } catch {
        lines.warn(
          line.number, value: line.value,
          "\(line.key) is \(quoted(line.value)), not \(error.expected); the line is ignored")
      }
    }
    domain = settings.domain(vmid: vmid)
    domain.proxmox?.description = lines.description
    domain.proxmox?.isHibernated = isHibernated
    if isHibernated {
      domain.proxmox?.waiting = lines.pendingKeys
    } else if atNextStart {
      domain.proxmox?.pending = lines.pendingKeys
    }
    domain.settle(offering: [2048, 1 << 20], present: [])
    let objections = settings.objections.map { key, sentence in
      ProxmoxProblem(file: file, line: settings.lines[key] ?? 1, sentence)
    }
    warnings = (lines.warnings + objections).sorted { $0.line < $1.line }
  }

  /// The vmid that a file's name gives, as in `100.conf`; nil for any other name.
  package static func vmid(ofFile path: String) -> String? {
    guard let digits = path.fields(at: "/").last?.rest(before: ".conf"),
      (3...9).contains(digits.utf8.count), !digits.begins(with: "0"),
      digits.utf8.allSatisfy(\.isDigit)
    else { return nil }
    return String(digits)
  }
}
