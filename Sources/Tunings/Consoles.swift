internal import HostModel

/// Takes the host's text consoles and the firmware's framebuffer off a display that a domain is
/// handed, and gives them back with it.
///
/// Off by default: most drivers let go of their consoles by themselves, and a host whose only
/// screen this is has no console on it while the domain is in. Nothing is done where the display
/// has no framebuffer that a console could be on.
struct Consoles: Tuning {
  static let name = "consoles"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.phase == .prepare, request.policy.releasesConsoles else { return needs }
    needs.functions = request.handedFunctions
    needs.displays = !needs.functions.isEmpty
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare, request.policy.releasesConsoles else { return plan }
    let displays = host.functions.filter {
      $0.classCode >> 16 == 0x03 && request.handedFunctions.contains($0.address)
    }
    let framebuffers = host.displays.framebuffers.filter { framebuffer in
      framebuffer.binding.driver != nil && displays.contains { $0.shows(framebuffer) }
    }
    guard !framebuffers.isEmpty || displays.contains(where: \.hasFramebuffer) else { return plan }

    let reason = "the display that shows it is passed through to \(request.domain.name)"
    for console in host.displays.consoles where console.drawsIntoFramebuffers && console.isBound {
      plan.lend(.console(console.name), .text("0"), because: reason)
    }
    for framebuffer in framebuffers {
      let bare = DriverBinding(driver: nil, override: framebuffer.binding.override)
      plan.lend(.platformDriver(framebuffer.device), .driver(bare), because: reason)
      plan.warnings.append(
        "\(framebuffer.device) goes with the display: vfio-pci has the kernel remove it, and only "
          + "the next boot brings it back; until then the display shows what its own driver draws")
    }
    return plan
  }
}

extension FunctionFacts {
  /// Whether the firmware's framebuffer is a part of the function.
  ///
  /// Before Linux 6.9 the kernel does not tell; the firmware draws on the display that it booted
  /// with.
  fileprivate func shows(_ framebuffer: FirmwareFramebuffer) -> Bool {
    framebuffer.function.map { $0 == address } ?? isBootDisplay
  }
}
