package import Bytes
package import HostModel

/// Where a hypervisor writes a domain's process number, and how the process proves that it is the
/// domain's.
package struct PIDFile {
  package let path: HostPath
  private let domain: Domain

  /// Nil for a domain whose name or number cannot be a file's name.
  package init?(of domain: Domain) {
    self.domain = domain
    switch domain.hypervisor {
    case .libvirt:
      let file = Self.escaped(domain.name) + ".pid"
      path = "/run/libvirt/qemu/\(file)"
      // libvirt refuses such names.
      guard !domain.name.isEmpty, !path.leadsNowhere, file.utf8.count <= 255 else { return nil }
    case .proxmox:
      guard let vmid = domain.vmid else { return nil }
      path = "/run/qemu-server/\(vmid).pid"
    }
  }

  /// Whether a process with these arguments is the domain's QEMU.
  ///
  /// The number in a file left behind may belong to any process by now.
  func names(process arguments: [String]) -> Bool {
    guard let program = arguments.first?.fields(at: "/").last,
      program.has(text: "qemu") || program.has(text: "kvm")
    else { return false }
    switch domain.hypervisor {
    case .libvirt:
      // QEMU doubles each comma inside a value; libvirt always adds `debug-threads=on`.
      let name = domain.name.fields(at: ",", keepingEmpty: true)
      let guest = "guest=" + name.joined(separator: ",,") + ","
      return values(of: "-name", in: arguments).contains { value in
        let list = value + ","
        return list.begins(with: guest) && !list.begins(with: guest + ",")
      }
    case .proxmox:
      // `/var/run` is a link to `/run`, and Proxmox says the former.
      let file = path.description
      return values(of: "-pidfile", in: arguments).contains { $0 == file || $0 == "/var" + file }
    }
  }

  private func values(of option: String, in arguments: [String]) -> [String] {
    zip(arguments, arguments.dropFirst()).filter { $0.0 == option }.map { $0.1 }
  }

  /// A name as libvirt spells it in the pid file's path.
  ///
  /// `virPidFileBuildPath()` sends it through `virBufferEscapeString()`, which escapes it for XML
  /// and drops the control characters that XML forbids.
  private static func escaped(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      case "'": result += "&apos;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      case "\u{1}"..."\u{19}": continue
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
