internal import Bytes
package import HostModel

extension PolicyFile {
  /// What is no error in the file and may be a mistake: sections that are for one VM, that nothing
  /// comes of, or that are for another one than they look like; in the order of the file.
  package func cautions(on hypervisor: Hypervisor) -> [PolicyProblem] {
    var cautions: [PolicyProblem] = []
    var subjects: [VMSubject: VMSection] = [:]
    // To String, what looks alike is one.
    var looks: [String: VMSection] = [:]
    var globs: [(glob: Glob, section: VMSection)] = []
    for section in vms {
      var sentences = [caution(about: section, on: hypervisor)]
      let earlier = subjects.updateValue(section, forKey: section.subject)
      // That a drop-in says more of a VM is what it is for.
      if let earlier, earlier.file == section.file {
        sentences.append(
          "\(earlier.header) and \(section.header) are for one VM; what the later one says wins")
      } else if earlier == nil, let earlier = looks[section.name] {
        sentences.append("\(earlier.header) and \(section.header) look alike and are two names")
      }
      looks[section.name] = section
      if case .several(let glob) = section.subject {
        sentences += globs.filter { glob.covers($0.glob) }.map {
          caution(about: $0.section, coveredBy: section)
        }
        globs.append((glob, section))
      }
      cautions += sentences.compactMap(\.self).map {
        PolicyProblem(
          file: section.file.isEmpty ? name : section.file, line: section.line ?? 1, sentence: $0,
          scope: .vm(ExactText(section.name)))
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

  private func caution(about earlier: VMSection, coveredBy later: VMSection) -> String? {
    let overridden = Set(later.keys.values.map(\.key.path))
    let keys = earlier.keys.values.map(\.key.path).filter(overridden.contains)
    guard !keys.isEmpty else { return nil }
    return
      "\(keys.joined(separator: ", ")) of \(earlier.header) never counts: \(later.header) is for "
      + "all of its VMs and stands behind it"
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
