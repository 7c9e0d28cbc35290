internal import Bytes
import HostModel
internal import Port

extension FactReader {
  /// Units by their names; one that systemd tells nothing of keeps the reason.
  func readServices(_ names: [String], into facts: inout HostFacts) throws(HostError) {
    let own = try kernel.cgroup(at: "/proc/self/cgroup") ?? ""
    facts.ownUnits = own.fields(at: "/").map(String.init)
    facts.services = names.map { name in
      var unknown = ServiceFacts(asked: name)
      do throws(HostError) {
        if let units { return try units.service(named: name, until: deadline) }
        unknown.problem = "there is no systemd to ask"
      } catch {
        unknown.problem = "\(error)"
      }
      return unknown
    }
  }

  /// Those of some domains that run, each by what its QEMU's own arguments say.
  func companions(
    named names: [String], of hypervisor: Hypervisor
  ) throws(HostError) -> [CompanionFacts] {
    if names.isEmpty { return [] }
    guard hypervisor == .proxmox else { return try domains(named: names) }
    var found: [CompanionFacts] = []
    for name in names {
      if let companion = try guest(name) { found.append(companion) }
    }
    return found
  }

  private func guest(_ vmid: String) throws(HostError) -> CompanionFacts? {
    let domain = Domain(hypervisor: .proxmox, name: vmid, id: vmid, vcpus: 1)
    guard let file = PIDFile(of: domain),
      let process = try ProcessReader(kernel: kernel).qemu(of: domain)
    else { return nil }
    return CompanionFacts(asked: vmid, id: vmid, process: process, file: file.path.description)
  }

  private static let folder: HostPath = "/run/libvirt/qemu"

  /// Looks at every QEMU of libvirt's, as one that is asked for by its UUID has a file by its name.
  private func domains(named names: [String]) throws(HostError) -> [CompanionFacts] {
    let reader = ProcessReader(kernel: kernel)
    var found: [CompanionFacts] = []
    for name in try kernel.entriesIfPresent(of: Self.folder) where name.ends(with: ".pid") {
      let path: HostPath = "\(Self.folder)/\(name)"
      guard let pid = try kernel.wordIfPresent(of: path).flatMap({ Quantity.process.number($0) }),
        let process = try reader.identity(of: pid),
        let arguments = try reader.arguments(of: pid),
        let uuid = zip(arguments, arguments.dropFirst()).first(where: { $0.0 == "-uuid" })?.1,
        uuid.utf8.count == 36, uuid.utf8.allSatisfy(Self.isOfUUIDs)
      else { continue }
      for asked in names where isMeant(by: asked, uuid, arguments, path) {
        found.append(
          CompanionFacts(asked: asked, id: uuid, process: process, file: path.description))
      }
    }
    return found
  }

  private func isMeant(
    by asked: String, _ uuid: String, _ arguments: [String], _ path: HostPath
  ) -> Bool {
    switch VMReference(asked) {
    case .uuid(let wanted): wanted.isSame(as: uuid)
    case .vmid: false
    case .name(let name): isName(name.text, of: arguments, path)
    }
  }

  private func isName(_ name: String, of arguments: [String], _ path: HostPath) -> Bool {
    guard let file = PIDFile(of: Domain(hypervisor: .libvirt, name: name, id: nil, vcpus: 1)) else {
      return false
    }
    return file.path == path && file.names(process: arguments)
  }

  private static func isOfUUIDs(_ byte: UInt8) -> Bool {
    byte.isDigit || (97...102).contains(byte) || byte == UInt8(ascii: "-")
  }
}
