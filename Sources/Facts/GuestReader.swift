internal import Bytes
internal import Formats
package import HostModel
package import Port

/// Finds the domains that run on a host, whoever started them.
package struct GuestReader {
  private let kernel: any KernelReader

  package init(kernel: any KernelReader) { self.kernel = kernel }

  /// The domains that libvirt and Proxmox have a pid file of, in the order of their names.
  ///
  /// Of each only its name or number is known; whether it runs is `QEMUReader`'s to find out.
  package func candidates() throws(HostError) -> [Domain] {
    var found: [Domain] = []
    for name in try names(in: "/run/libvirt/qemu") {
      found.append(Domain(hypervisor: .libvirt, name: Self.unescaped(name), id: nil, vcpus: 0))
    }
    for vmid in try names(in: "/run/qemu-server") {
      found.append(Domain(hypervisor: .proxmox, name: vmid, id: vmid, vcpus: 0))
    }
    return found
  }

  /// The domains that run, with their threads.
  ///
  /// One that ends meanwhile is left out. Where only the CPUs of threads are of interest, their
  /// schedulers and cgroups need not be read.
  package func running(
    asking monitor: (any QEMUMonitor)? = nil, onlyCPUs: Bool = false
  ) throws(HostError) -> [RunningGuest] {
    let candidates = try candidates()
    // A record of the hardware alone does not say which kernel it is of.
    guard !candidates.isEmpty else { return [] }
    let reader = try QEMUReader(kernel: kernel, monitor: monitor)
    var running: [RunningGuest] = []
    for domain in candidates {
      guard let process = try reader.process(of: domain, onlyCPUs: onlyCPUs) else { continue }
      running.append(
        RunningGuest(hypervisor: domain.hypervisor, name: domain.name, process: process))
    }
    return running
  }

  /// The names and numbers that libvirt and Proxmox have a configuration of, ascending.
  ///
  /// Both keep them in folders of root's: another user is told of none.
  package func defined() throws(HostError) -> [String] {
    var names: Set<ExactText> = []
    for folder: HostPath in ["/etc/libvirt/qemu", "/run/libvirt/qemu"] {
      names.formUnion(try readable(in: folder, ending: ".xml").map { ExactText($0) })
    }
    for vmid in try readable(in: "/etc/pve/qemu-server", ending: ".conf") {
      names.insert(ExactText(vmid))
      // Whoever may list the folder need not be let read what is in it.
      let conf = try? ProxmoxHost(kernel: kernel).configuration(of: vmid)
      if let name = conf?.domain.name { names.insert(ExactText(name)) }
    }
    return names.sorted().map(\.text)
  }

  private func readable(in folder: HostPath, ending: String) throws(HostError) -> [String] {
    do throws(HostError) {
      return try names(in: folder, ending: ending)
    } catch  where ErrorNumber(error.errno) == .accessDenied {
      return []
    }
  }

  private func names(
    in folder: HostPath, ending: String = ".pid"
  ) throws(HostError) -> [String] {
    try kernel.entriesIfPresent(of: folder).compactMap { $0.rest(before: ending).map(String.init) }
  }

  /// A name as it is, of one as libvirt spells it in a pid file's path (see `PIDFile`).
  private static func unescaped(_ name: String) -> String {
    let escapes = [
      ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&"),
    ]
    return escapes.reduce(name) { $0.replaced($1.0, by: $1.1) }
  }
}

/// A domain that runs.
package struct RunningGuest: Sendable {
  package var hypervisor: Hypervisor
  /// libvirt's name of it, or Proxmox's number.
  package var name: String
  package var process: QEMUFacts
}

extension TopologyGuest {
  /// A domain by what its threads may use.
  package init(_ guest: RunningGuest) {
    self.init(name: guest.name, hypervisor: guest.hypervisor)
    for thread in guest.process.threads {
      switch thread.thread.role {
      case .vcpu(let number): vcpus[number] = thread.affinity
      case .iothread(let number): iothreads[number] = thread.affinity
      case .emulator: emulator = thread.affinity
      case .vhost, .worker, .foreign: continue
      }
    }
  }
}
