internal import Bytes
package import HostModel

/// A candidate in the words of a hypervisor's configuration and of Berth's policy file, for whoever
/// takes it over.
package struct Snippet: Hashable, Sendable {
  /// Elements of a libvirt domain, or lines of a configuration of Proxmox's.
  package var configuration: [String]
  /// Lines of `berth.toml`.
  package var policy: [String]
  /// What neither can say.
  package var remarks: [String]
}

/// What a snippet is written for.
package struct SnippetContext: Sendable {
  package let premises: Premises
  /// The section of the policy file: the domain's name, UUID or vmid; nil for one that is still to be
  /// defined.
  package let section: String?
  package let hasFunctions: Bool
  /// What the domain has in `args` already.
  package let arguments: String?

  package init(
    premises: Premises, section: String?, hasFunctions: Bool, arguments: String? = nil
  ) {
    self.premises = premises
    self.section = section
    self.hasFunctions = hasFunctions
    self.arguments = arguments
  }
}

extension Candidate {
  /// The candidate in the words of a hypervisor.
  package func snippet(for hypervisor: Hypervisor, _ context: SnippetContext) -> Snippet {
    switch hypervisor {
    case .libvirt: libvirtSnippet(context)
    case .proxmox: proxmoxSnippet(context)
    }
  }

  /// The lines of the policy file that both have.
  func commonPolicy(_ context: SnippetContext, for hypervisor: Hypervisor) -> [String] {
    // On Proxmox a name finds no section.
    let section = context.section ?? (hypervisor == .proxmox ? "VMID" : "new-vm")
    var lines = ["[vm.\(quotedTOML(section))]", "profile = \"\(goal.rawValue)\""]
    if goal == .latency, context.hasFunctions, !emulator.isEmpty {
      // On the devices' node, and on none of the vCPUs.
      lines.append("interrupts.device-cpus = \"\(emulator)\"")
    }
    return lines
  }

  var memoryKiB: Int { cells.reduce(0) { $0 + $1.memoryKiB } }
}

/// A text as a basic string of TOML's.
private func quotedTOML(_ text: String) -> String {
  let escaped = text.unicodeScalars.map { scalar -> String in
    switch scalar {
    case "\"", "\\": return "\\\(scalar)"
    case _ where scalar.misleads:
      let digits = String(scalar.value, radix: 16)
      return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    default: return String(scalar)
    }
  }
  return "\"\(escaped.joined())\""
}
