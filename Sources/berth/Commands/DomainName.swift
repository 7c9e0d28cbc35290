internal import ArgumentParser
internal import Facts
internal import HostModel
internal import Live

/// The names of domains, for a shell that completes what is typed.
///
/// Whoever may not read them is offered none: a shell has no place for an error.
enum DomainName {
  /// Those that libvirt and Proxmox have a configuration of, running or not.
  static let known = CompletionKind.custom { _, _, _ in
    (try? GuestReader(kernel: LiveKernel()).defined()) ?? []
  }

  /// Those that run.
  static let running = CompletionKind.custom { _, _, _ in
    (try? GuestReader(kernel: LiveKernel()).candidates().map(\.name)) ?? []
  }
}
