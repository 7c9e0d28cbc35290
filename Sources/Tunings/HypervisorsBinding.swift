import HostModel

/// What is to be said of functions that the hypervisor binds by itself: it asks nobody, so that a start
/// takes the host's own disk from it, or waits in the kernel for ever.
extension PCIBinding {
  static let bridge = "which is a bridge of the host: all that is behind it would be lost"

  static let absence = "which this host does not have"

  static func using(_ uses: [HostUse]) -> String {
    "but the host uses it: \(uses.listed); free it, or name it under pci.force"
  }

  static func sharing(_ group: Int, _ sibling: GroupSibling) -> String {
    "which shares IOMMU group \(group) with \(sibling.address), and the host uses that with "
      + (sibling.driver ?? "no driver")
  }

  func look(
    atOthers functions: [PCIAddress], _ request: Request, _ host: HostFacts, _ plan: inout Plan
  ) {
    for address in functions {
      let function = function(at: address, on: host)
      // One that is not there may be a virtual one that is made by this very plan.
      if function == nil, VirtualFunctions.isAboutToMakeSome(for: request, on: host) { continue }
      if let reason = harm(of: function, at: address, request) {
        // What the host would lose does not depend on whether the domain can do without.
        plan.refusals.append(Refusal("\(request.domain.name) wants \(address), \(reason)"))
      } else if let reason = objection(toOthers: function, request) {
        object(
          "\(request.domain.name) wants \(address), \(reason)",
          fix: function == nil ? nameAnother(request) : nil, request, &plan)
      } else if let function {
        if request.policy.pci.waitMilliseconds > 0 { expect(usersOf: function, request, &plan) }
        remark(on: function, function.hostUses, request, &plan)
        caution(about: function, request, &plan)
      }
    }
  }

  /// The line of Proxmox's configuration that names a function; of libvirt's XML, the sentence says enough.
  func nameAnother(_ request: Request) -> String? {
    guard request.domain.hypervisor == .proxmox else { return nil }
    return "name one that “berth topology” lists in hostpciN (or in args) of "
      + request.domain.commandName
  }

  /// What the host would lose with a function that the hypervisor takes, as the rest of a sentence.
  private func harm(
    of function: FunctionFacts?, at address: PCIAddress, _ request: Request
  ) -> String? {
    guard let function else { return nil }
    if function.isBridge { return Self.bridge }
    let uses = function.hostUses.filter(\.isVital)
    if !uses.isEmpty, !function.isReadyForVFIO, !request.policy.pci.forces(address) {
      return Self.using(uses)
    }
    return request.domain.hypervisor == .proxmox ? harm(ofGroupOf: function, request) : nil
  }

  /// The same of the rest of its IOMMU group, all of which Proxmox binds (`pci_dev_group_bind_to_vfio()` in
  /// src/PVE/SysFSTools.pm).
  private func harm(ofGroupOf function: FunctionFacts, _ request: Request) -> String? {
    guard let group = function.iommuGroup else { return nil }
    for sibling in function.groupSiblings where !request.policy.pci.forces(sibling.address) {
      let uses = sibling.hostUses.filter(\.isVital)
      if uses.isEmpty { continue }
      return "which shares IOMMU group \(group) with \(sibling.address), which Proxmox binds as "
        + "well, and the host uses that: \(uses.listed); free it, or name it under pci.force"
    }
    return nil
  }

  /// What else stands against letting the hypervisor take a function.
  ///
  /// VFIO hands a group over as a whole: libvirt binds what the domain has of it, and QEMU ends where a
  /// driver of the host has the rest (drivers/vfio/group.c, `vfio_group_ioctl_set_container()`).
  private func objection(toOthers function: FunctionFacts?, _ request: Request) -> String? {
    guard let function else { return Self.absence }
    guard request.domain.hypervisor == .libvirt, let group = function.iommuGroup else { return nil }
    return blockingSibling(of: function, request).map { sibling in
      Self.sharing(group, sibling)
        + ": QEMU would find the group “not viable”; hand over both or neither"
    }
  }

  /// Says how the host uses a function that it can do without.
  func remark(
    on function: FunctionFacts, _ uses: [HostUse], _ request: Request, _ plan: inout Plan
  ) {
    if uses.isEmpty || function.isReadyForVFIO { return }
    plan.warnings.append(
      "\(function.address) is taken from the host for \(request.domain.name), which uses it: "
        + uses.listed)
  }
}
