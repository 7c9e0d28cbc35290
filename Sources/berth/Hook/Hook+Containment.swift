internal import HostModel
internal import Live

extension Hook {
  /// Whatever ends the work of a phase by a signal, a fault of Berth's own among it: only a phase that may
  /// refuse a start does.
  ///
  /// What cannot be had is not worth a refusal: without it, a hook is no worse off than any other.
  static func contain(_ phase: Phase, of domain: String, under hypervisor: Hypervisor) {
    let name = phase.name(under: hypervisor)
    let containment = Containment(
      domain: domain, phase: name, status: phase.mayRefuse ? 1 : 0,
      consequence: consequence(of: phase))
    do {
      try containment.begin()
      try OwnLimits(cpuSeconds: cpuSeconds(for: phase)).begin()
    } catch {
      Journal().note(
        .warning, "a fault of Berth's would end this hook: \(error)", domain: domain, phase: name)
    }
  }

  private static func consequence(of phase: Phase) -> String {
    switch phase {
    case .prepare, .start: "the VM does not start, and what was taken for it goes back"
    case .started, .reconnect:
      "the VM runs on; the next phase completes what is missing"
    case .stopped, .release: "what the VM held goes back by the next “berth reconcile”"
    }
  }

  /// The kernel's work on slow writes is not part of it (`OwnLimits`).
  private static func cpuSeconds(for phase: Phase) -> UInt64 {
    switch phase {
    case .started, .reconnect: 15
    default: 60
    }
  }
}
