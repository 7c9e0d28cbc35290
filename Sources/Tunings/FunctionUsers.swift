internal import HostModel

/// What is said of processes that have a function open before it changes its driver.
extension PCIBinding {
  /// Notes what a start may wait for.
  func expect(usersOf function: FunctionFacts, _ request: Request, _ plan: inout Plan) {
    let isForced = request.policy.pci.forces(function.address)
    guard !function.users.isEmpty, !isForced || function.isStuckWhileOpen,
      !Self.isToBeLeft(request)
    else { return }
    plan.awaited.append(function.openings)
  }

  /// Warns of a function that the hypervisor is about to take from its users, and refuses where that
  /// would never end.
  func caution(about function: FunctionFacts, _ request: Request, _ plan: inout Plan) {
    if function.users.isEmpty || Self.isToBeLeft(request) { return }
    let name = request.domain.name
    if function.isReadyForVFIO {
      plan.warnings.append("\(function.address) is not free for \(name): \(function.openings)")
    } else if function.isStuckWhileOpen {
      object("\(name) wants \(function.address), \(Self.endless(function))", request, &plan)
    } else {
      plan.warnings.append(
        "\(function.address) is taken from the host for \(name) while \(function.openings)")
    }
  }

  /// Whether services are stopped before the function changes its driver: who has it open now says
  /// nothing then, and a driver that would wait for users for ever is asked for them once more when
  /// it is to let go.
  static func isToBeLeft(_ request: Request) -> Bool {
    !request.policy.beside.stoppedServices.isEmpty
  }

  /// NVIDIA's driver waits without an end for a GPU to be closed, in the kernel, where nobody can
  /// end the one who waits (`nv_pci_remove_helper()` in kernel-open/nvidia/nv-pci.c).
  static func endless(_ function: FunctionFacts) -> String {
    "but \(function.openings); the driver of NVIDIA would wait for them for ever, which pci.force "
      + "does not change: end them, or let the start wait for them (pci.wait)"
  }

  /// A note where a card has fewer lanes than it could have: a slot, a riser or a bad contact.
  ///
  /// Not so for its speed, which drops while the card idles.
  func narrowLink(of address: PCIAddress, on host: HostFacts) -> String? {
    guard let function = host.functions.first(where: { $0.address == address }),
      let link = function.link, link.width < link.maximumWidth,
      // The functions of a card share its link.
      !host.functions.contains(where: { $0.address < address && $0.address.isBeside(address) })
    else { return nil }
    return "\(address) has \(link.width) lanes of the \(link.maximumWidth) that it could have (at "
      + "\(link.speed) of \(link.maximumSpeed), which is less while it idles)"
  }
}

extension FunctionFacts {
  /// Whether the function's driver never lets go of it while somebody has it open.
  var isStuckWhileOpen: Bool { binding.driver == "nvidia" && !users.isEmpty }

  /// Who has the function open: some by name, the rest by number.
  var openings: String {
    let named = users.prefix(4).map { "\($0.file) is open in \($0.name) (process \($0.pid))" }
    let rest = users.count - named.count
    return named.joined(separator: ", ")
      + (rest > 0 ? " and \(rest) more \(rest == 1 ? "process" : "processes")" : "")
  }
}

extension PCIAddress {
  /// Whether both are functions of one slot.
  fileprivate func isBeside(_ other: PCIAddress) -> Bool {
    (domain, bus, slot) == (other.domain, other.bus, other.slot)
  }
}
