internal import Bytes
package import HostModel

extension PolicyFile {
  /// What is no error in the file and may be a mistake: sections that are for one VM, that nothing
  /// comes of, or that are for another one than they look like; in the order of the file.
  package func cautions(on hypervisor: Hypervisor) -> [String] {
    var cautions: [String] = []
    for (index, section) in vms.enumerated() {
      if let sentence = caution(about: section, on: hypervisor) {
        cautions.append("\(name):\(section.line ?? 1): \(sentence)")
      }
      for later in vms.dropFirst(index + 1) {
        if let sentence = caution(about: section, and: later) {
          cautions.append("\(name):\(later.line ?? 1): \(sentence)")
        }
      }
    }
    return cautions
  }

  private func caution(about section: VMSection, on hypervisor: Hypervisor) -> String? {
    if case .one(.vmid(let vmid)) = section.subject {
      if !(100...999_999_999).contains(Int(vmid) ?? 0) || vmid.begins(with: "0") {
        return "no VM of Proxmox has the vmid \(vmid), and no name is compared with digits alone"
      }
      if hypervisor == .libvirt {
        return "\(section.header) is for the vmid of Proxmox's, and for no VM that is called so"
      }
    }
    guard hypervisor == .proxmox, !base.countsProxmoxNames, section.goesByName else { return nil }
    return "\(section.header) goes by a name, which on Proxmox counts only with names = true under "
      + "[proxmox]; write the vmid"
  }

  private func caution(about first: VMSection, and second: VMSection) -> String? {
    if first.subject == second.subject {
      return "\(first.header) and \(second.header) are for one VM; what the later one says wins"
    }
    switch (first.subject, second.subject) {
    case (.one(.name(let one)), .one(.name(let other))) where one.text == other.text:
      return "\(first.header) and \(second.header) look alike and are two names"
    case (.several(let earlier), .several(let later)) where later.covers(earlier):
      let keys = first.keys.values.map(\.key.path)
        .filter(Set(second.keys.values.map(\.key.path)).contains)
      guard !keys.isEmpty else { return nil }
      return "\(keys.joined(separator: ", ")) of \(first.header) never counts: \(second.header) is "
        + "for all of its VMs and stands behind it"
    default: return nil
    }
  }
}

extension VMSection {
  /// Whether a VM has the section by its name.
  fileprivate var goesByName: Bool {
    switch subject {
    case .one(let reference): !reference.isID
    case .several(let glob): glob.isOfNames
    }
  }
}
