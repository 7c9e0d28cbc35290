/// A step of a domain's life, in libvirt's words.
package enum Phase: String, Sendable, Codable, CaseIterable {
  /// Before anything of the domain exists; the host is made ready. May refuse.
  case prepare
  /// The last moment before QEMU runs. May refuse.
  case start
  /// QEMU runs and its threads exist.
  case started
  /// The hypervisor's daemon came back and found the domain running.
  case reconnect
  /// QEMU is gone, but the hypervisor still works on its devices.
  case stopped
  /// The hypervisor is done: all is given back.
  case release

  /// The phase of one call of libvirt's `qemu` hook; nil for those in which Berth does nothing.
  ///
  /// `migrate` and `restore` are filters whose output would become the domain's XML, and an
  /// unknown operation is one of a later libvirt (docs/hooks.rst of libvirt).
  package init?(libvirtOperation operation: String) {
    self.init(rawValue: operation)
  }

  /// The phase of one call of a Proxmox hookscript; nil for an unknown one.
  package init?(proxmoxPhase phase: String) {
    switch phase {
    case "pre-start": self = .prepare
    case "post-start": self = .started
    case "pre-stop": self = .stopped
    case "post-stop": self = .release
    default: return nil
    }
  }

  /// The phase in its hypervisor's words.
  package func name(under hypervisor: Hypervisor) -> String {
    guard hypervisor == .proxmox else { return rawValue }
    switch self {
    case .prepare, .start: return "pre-start"
    case .started, .reconnect: return "post-start"
    case .stopped: return "pre-stop"
    case .release: return "post-stop"
    }
  }

  /// Whether a hook of this phase may end a start by failing.
  ///
  /// In every other phase the hypervisor either ignores the status or kills a running domain for
  /// it.
  package var mayRefuse: Bool { self == .prepare || self == .start }
}
