import HostModel

/// Hands the PCI functions that nobody else binds to the driver that a domain needs.
///
/// libvirt changes the driver of `managed='yes'` functions by itself, so those are left alone: a
/// function that is already on its driver would never be given back. The others are taken before
/// the start and returned in `release` only, as libvirt resets the functions of a domain between
/// `stopped` and `release` (src/util/virhostdev.c).
///
/// Proxmox binds every function of an IOMMU group to vfio-pci before a start and none of them back
/// afterwards (`pci_dev_group_bind_to_vfio()` in src/PVE/SysFSTools.pm): for those, only the
/// original is recorded, and put back in `post-stop`.
struct PCIBinding: Tuning {
  static let name = "pci-binding"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    if request.phase.mayRefuse { needs.functions = wanted(by: request) }
    guard request.phase == .prepare else { return needs }
    // A driver that comes or goes decides anew whether its function sleeps.
    if !needs.functions.isEmpty || !lent(by: request).isEmpty {
      needs.functionAttributes = [.powerControl]
    }
    needs.functions += boundByOthers(request)
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase.mayRefuse else { return plan }
    for address in wanted(by: request) {
      let function = function(at: address, on: host)
      // One that is not there may be a virtual one that is made by this very plan.
      if function == nil, VirtualFunctions.isAboutToMakeSome(for: request, on: host) { continue }
      if let function {
        expect(usersOf: function, request, &plan)
      }
      if let reason = objection(to: function, at: address, request) {
        object(
          "\(request.domain.name) wants \(address), \(reason)",
          fix: function == nil ? nameAnother(request) : nil, request, &plan)
      } else if let function, request.phase == .prepare {
        remark(on: function, function.hostUses.filter { $0.weight == .convenience }, request, &plan)
        plan.changes.append(change(of: function, request))
        plan.changes += sleep(of: function, request, host)
      }
    }
    guard request.phase == .prepare else { return plan }
    look(atOthers: boundByOthers(request), request, host, &plan)
    plan.changes += loans(request, host)
    plan.notes += request.handedFunctions.compactMap { narrowLink(of: $0, on: host) }
    plan.notes += request.domain.functions.filter { $0.kind == .argument }.map { function in
      "\(function.address) is passed through by QEMU's own arguments, which libvirt does not see: access to "
        + "its /dev/vfio file and the limit for pinned memory are up to qemu.conf and <memtune>"
    }
    return plan
  }

  /// A function with those of its users of whom nobody else tells: who has it by way of a domain that is in
  /// is told by what the ledger has of that.
  func function(at address: PCIAddress, on host: HostFacts) -> FunctionFacts? {
    var function = host.functions.first { $0.address == address }
    if function?.isReadyForVFIO ?? false, host.takenFunctions.contains(address) {
      function?.users = []
    }
    return function
  }

  /// The functions that the hypervisor binds by itself.
  func boundByOthers(_ request: Request) -> [PCIAddress] {
    let taken = wanted(by: request)
    return request.domain.functions.filter { $0.isManaged && $0.kind != .mdev }.map(\.address)
      .filter { !taken.contains($0) }
  }

  /// The functions that Proxmox binds and leaves bound.
  private func lent(by request: Request) -> [PCIAddress] {
    guard request.domain.hypervisor == .proxmox, request.policy.pci.givesBack else { return [] }
    let taken = wanted(by: request)
    return request.domain.functions.filter { $0.isManaged && $0.kind == .hostpci }.map(\.address)
      .filter { !taken.contains($0) }
  }

  private func loans(_ request: Request, _ host: HostFacts) -> [Change] {
    let reason =
      "Proxmox passes it through to \(request.domain.name) and does not restore its driver"
    let vfio = Value.driver(DriverBinding(driver: "vfio-pci", override: nil))
    var loans: [Change] = []
    for address in lent(by: request) {
      guard let function = host.functions.first(where: { $0.address == address }) else { continue }
      var members = [(function.address, function.binding.driver)]
      members += function.groupSiblings.map { ($0.address, $0.driver) }
      for (member, driver) in members {
        // One that was on a VFIO driver at first is nobody's to give back, and a bridge stays where it
        // is; another domain's may be given back before this one has started.
        if driver.map(VFIO.tolerates) ?? false, !host.takenFunctions.contains(member) { continue }
        let change = Change(.driver(member), .lent(vfio), because: reason)
        if !loans.contains(change) { loans.append(change) }
      }
      loans += sleep(of: function, request, host)
    }
    return loans
  }

  /// Has the kernel's word on whether a function sleeps put back once it has its driver again.
  private func sleep(
    of function: FunctionFacts, _ request: Request, _ host: HostFacts
  ) -> [Change] {
    let isOwn = function.isReadyForVFIO && !host.takenFunctions.contains(function.address)
    guard function.attributes[.powerControl] != nil, !isOwn,
      request.policy.pci.powerControl == nil
    else { return [] }
    return [
      Change(
        .functionAttribute(function.address, .powerControl), .keep,
        because: "its drivers set it when they bind and unbind")
    ]
  }

  /// Whether Berth hands a function over, and not the hypervisor.
  func binds(_ function: PCIAddress, for request: Request) -> Bool {
    wanted(by: request).contains(function)
  }

  /// The functions that Berth binds, in their order and each once.
  private func wanted(by request: Request) -> [PCIAddress] {
    var wanted: [PCIAddress] = []
    let unmanaged = request.domain.functions.filter { !$0.isManaged && $0.kind != .mdev }
      .map(\.address)
    for address in unmanaged + request.policy.pci.functions where !wanted.contains(address) {
      wanted.append(address)
    }
    return wanted
  }

  /// The driver that a function is handed to, and whether the configuration itself says so.
  private func driver(
    of address: PCIAddress, _ request: Request
  ) -> (name: String, isOwn: Bool) {
    let own = request.domain.functions.first { $0.address == address }?.driver
    return (own ?? request.policy.pci.driver, own != nil)
  }

  /// Whether a function waits on a driver that the domain can have it from: any of VFIO, unless the
  /// configuration names one.
  private func isReady(_ function: FunctionFacts, _ request: Request) -> Bool {
    let driver = driver(of: function.address, request)
    return function.isReadyForVFIO && (!driver.isOwn || function.binding.driver == driver.name)
  }

  private func change(of function: FunctionFacts, _ request: Request) -> Change {
    let driver = driver(of: function.address, request).name
    // A function that waits on a VFIO driver already is only kept from other domains.
    let binding =
      isReady(function, request)
      ? function.binding : DriverBinding(driver: driver, override: driver)
    return Change(
      .driver(function.address), .alone(.driver(binding)),
      because: "passed through to \(request.domain.name); Berth must bind it",
      isRequired: request.policy.pci.requiresFunctions)
  }

  /// What stands against taking a function, as the rest of a sentence.
  private func objection(
    to function: FunctionFacts?, at address: PCIAddress, _ request: Request
  ) -> String? {
    guard let function else { return Self.absence }
    if function.isBridge { return Self.bridge }
    let driver = driver(of: address, request)
    if driver.isOwn, !VFIO.isName(driver.name) {
      return "with the driver \(driver.name), which is no VFIO driver"
    }
    if request.phase == .start {
      if function.isReadyForVFIO || function.binding.driver == driver.name { return nil }
      return "which went to \(function.binding.driver ?? "no driver") since it was bound to "
        + driver.name
    }
    guard let group = function.iommuGroup else {
      return "which is in no IOMMU group; switch the IOMMU on in the firmware and in the kernel's "
        + "command line"
    }
    if let sibling = blockingSibling(of: function, request) {
      return Self.sharing(group, sibling) + "; hand over both or neither"
    }
    let uses = function.hostUses.inTheWay
    if !uses.isEmpty, !function.isReadyForVFIO, !request.policy.pci.forces(address) {
      return Self.using(uses)
    }
    if function.users.isEmpty || Self.isToBeLeft(request) { return nil }
    if function.isStuckWhileOpen { return Self.endless(function) }
    if request.policy.pci.forces(address) { return nil }
    return "but \(function.openings); end them, let the start wait for them (pci.wait), or name "
      + "the function under pci.force"
  }

  /// A function of the same IOMMU group that keeps the group from being handed over.
  func blockingSibling(of function: FunctionFacts, _ request: Request) -> GroupSibling? {
    let passed = request.domain.functions.filter { $0.kind != .mdev }.map(\.address)
    let handedOver = passed + request.policy.pci.functions
    return function.groupSiblings.first { sibling in
      guard let driver = sibling.driver, !handedOver.contains(sibling.address) else { return false }
      return !VFIO.tolerates(driver)
    }
  }

  func object(
    _ sentence: String, fix: String? = nil, _ request: Request, _ plan: inout Plan
  ) {
    let refusal = Refusal(sentence, fix: fix)
    if request.policy.pci.requiresFunctions {
      plan.refusals.append(refusal)
    } else {
      plan.warnings.append("\(refusal)")
    }
  }
}

extension FunctionFacts {
  /// Whether the function is on vfio-pci or on one of its variant drivers.
  var isReadyForVFIO: Bool { binding.driver.map(VFIO.isDriver) ?? false }
}
