import HostModel
import Testing

@testable import Tunings

struct PCIBindingTests {
  private let tuning = PCIBinding()

  private func domain(isManaged: Bool = false) -> Domain {
    var domain = Sample.domain
    domain.functions = [
      PassedFunction(address: Sample.function.address, isManaged: isManaged, kind: .hostdev)
    ]
    return domain
  }

  private func host(_ change: (inout FunctionFacts) -> Void = { _ in }) -> HostFacts {
    var host = Sample.host
    var function = Sample.function
    change(&function)
    host.functions = [function]
    return host
  }

  private let vfio = Value.driver(DriverBinding(driver: "vfio-pci", override: "vfio-pci"))

  @Test func bindsWhatLibvirtDoesNotManage() {
    let plan = Sample.plan(tuning, domain: domain(), on: host())
    #expect(plan.changes.map(\.setting) == [.driver(Sample.function.address)])
    #expect(plan.changes.map(\.claim) == [.alone(vfio)])
    #expect(plan.changes.allSatisfy { $0.isRequired } && plan.refusals.isEmpty)
  }

  @Test func leavesToLibvirtWhatItManages() {
    let needs = Sample.needs(tuning, .prepare, domain: domain(isManaged: true))
    #expect(needs.functions == [Sample.function.address] && needs.functionAttributes.isEmpty)
    #expect(Sample.needs(tuning, .start, domain: domain(isManaged: true)) == FactNeeds())
    let plan = Sample.plan(tuning, domain: domain(isManaged: true), on: host())
    #expect(plan == Plan(phase: .prepare))
  }

  /// What a hypervisor binds by itself it takes from whoever has it: the verdict does not depend on who
  /// binds, but where the host can do without.
  @Test func whatWouldTakeTheHostDownIsRefusedWhoeverBindsIt() {
    let other = GroupSibling(address: Sample.other, driver: "nvme")
    var used = other
    used.hostUses = [HostUse("mounted at / (nvme0n1p2)")]
    let mounted = HostUse("mounted at / (nvme0n1p2)")
    let rows: [(Hypervisor, (inout FunctionFacts) -> Void, refused: String?, warned: String?)] = [
      (.libvirt, { $0.hostUses = [mounted] }, "mounted at /", nil),
      (.proxmox, { $0.hostUses = [mounted] }, "mounted at /", nil),
      (
        .libvirt, { $0.hostUses = [HostUse("has an address (eno1)", .service)] }, nil,
        "has an address"
      ),
      (
        .libvirt, { $0.hostUses = [HostUse("the host's keyboard", .convenience)] }, nil,
        "the host's keyboard"
      ),
      (.libvirt, { $0.groupSiblings = [other] }, "not viable", nil),
      (.proxmox, { $0.groupSiblings = [other] }, nil, nil),
      (.proxmox, { $0.groupSiblings = [used] }, "Proxmox binds as well", nil),
      (
        .libvirt,
        {
          $0.binding.driver = "nvidia"
          $0.users = [DeviceUser(file: "/dev/nvidia0", name: "Xorg", pid: 900)]
        }, "for ever", nil
      ),
      (
        .libvirt,
        {
          $0.binding.driver = "vfio-pci"
          $0.hostUses = [mounted]
        }, nil, nil
      ),
    ]
    for (hypervisor, change, refused, warned) in rows {
      var domain = domain(isManaged: true)
      domain.hypervisor = hypervisor
      if hypervisor == .proxmox { domain.functions[0].kind = .hostpci }
      let plan = Sample.plan(tuning, domain: domain, on: host(change))
      #expect(plan.refusals.count == (refused == nil ? 0 : 1))
      #expect(plan.refusals.allSatisfy { $0.description.contains(refused ?? "") })
      #expect(plan.warnings.count == (warned == nil ? 0 : 1))
      #expect(plan.warnings.allSatisfy { $0.contains(warned ?? "") })
    }
  }

  @Test func aFunctionOfTheHypervisorsThatIsNotThereIsRefusedByName() {
    let absent = Sample.plan(tuning, domain: domain(isManaged: true), on: Sample.host)
    let sentence = "win10 wants 0000:41:00.0, which this host does not have"
    #expect(absent.refusals.map(\.description) == [sentence])
  }

  @Test(arguments: ["vfio-pci", "mlx5_vfio_pci", "nvgrace-gpu-vfio-pci"])
  func keepsAFunctionThatWaitsOnAVFIODriverAsItIs(driver: String) {
    let binding = DriverBinding(driver: driver, override: nil)
    let plan = Sample.plan(tuning, domain: domain(), on: host { $0.binding = binding })
    #expect(plan.changes.map(\.claim) == [.alone(.driver(binding))])
  }

  @Test func takesTheFunctionsThatPolicyNamesAndItsDriverOnce() {
    var policy = Policy()
    policy.pci.functions = [Sample.function.address]
    policy.pci.driver = "pci-stub"
    let plan = Sample.plan(tuning, domain: domain(), policy: policy, on: host())
    let stub = Value.driver(DriverBinding(driver: "pci-stub", override: "pci-stub"))
    #expect(plan.changes.map(\.claim) == [.alone(stub)])
  }

  @Test func refusesAFunctionThatIsNotThereOrInNoGroup() {
    let absent = Sample.plan(tuning, domain: domain(), on: Sample.host)
    #expect(absent.refusals[0].description.contains("0000:41:00.0, which this host does not have"))
    let ungrouped = Sample.plan(tuning, domain: domain(), on: host { $0.iommuGroup = nil })
    #expect(ungrouped.refusals[0].description.contains("no IOMMU group"))
  }

  @Test(arguments: [
    (nil, true), ("vfio-pci", true), ("pci-stub", true), ("pcieport", true), ("xhci_hcd", false),
  ])
  func looksAtTheWholeGroupBeforeTouchingAnything(driver: String?, isAllowed: Bool) {
    let host = host { $0.groupSiblings = [GroupSibling(address: Sample.other, driver: driver)] }
    let plan = Sample.plan(tuning, domain: domain(), on: host)
    #expect(plan.refusals.isEmpty == isAllowed)
    #expect(plan.changes.isEmpty != isAllowed)
    if !isAllowed { #expect(plan.refusals[0].description.contains("\(Sample.other)")) }
    // Handed over together, the sibling is no obstacle.
    var both = domain()
    both.functions.append(PassedFunction(address: Sample.other, isManaged: true, kind: .hostdev))
    var together = host
    together.functions.append(
      FunctionFacts(
        address: Sample.other, binding: DriverBinding(driver: driver, override: nil)))
    #expect(Sample.plan(tuning, domain: both, on: together).refusals.isEmpty)
  }

  @Test func refusesByNameWhatTheHostUsesUnlessForced() {
    let host = host { $0.hostUses = [HostUse("eno1 has an address")] }
    let plan = Sample.plan(tuning, domain: domain(), on: host)
    #expect(plan.changes.isEmpty && plan.refusals[0].description.contains("eno1 has an address"))
    var policy = Policy()
    policy.pci.forced = [Sample.function.address]
    let forced = Sample.plan(tuning, domain: domain(), policy: policy, on: host)
    #expect(forced.refusals.isEmpty && forced.changes.count == 1)
  }

  @Test func aKeyboardGoesWithAWarningWhoeverBindsIt() {
    let keyboard = HostUse("the host's keyboard", .convenience)
    let plan = Sample.plan(tuning, domain: domain(), on: host { $0.hostUses = [keyboard] })
    #expect(plan.refusals.isEmpty && plan.changes.count == 1)
    #expect(plan.warnings.count == 1 && plan.warnings[0].contains("uses it: the host's keyboard"))
    let both = host { $0.hostUses = [keyboard, HostUse("mounted at / (sda1)")] }
    let refused = Sample.plan(tuning, domain: domain(), on: both)
    #expect(refused.changes.isEmpty && refused.warnings.isEmpty)
    #expect(refused.refusals[0].description.contains("the host uses it: mounted at / (sda1); "))
  }

  /// What a hypervisor takes it takes, whether the domain could do without or not.
  @Test func whatWouldTakeTheHostDownIsRefusedWhateverTheDomainCanDoWithout() {
    var policy = Policy()
    policy.pci.requiresFunctions = false
    let vital = host { $0.hostUses = [HostUse("mounted at / (sda1)")] }
    for host in [vital, host { $0.classCode = 0x060400 }, host { $0.leadsToBus = true }] {
      let theirs = Sample.plan(tuning, domain: domain(isManaged: true), policy: policy, on: host)
      #expect(theirs.refusals.count == 1)
      let own = Sample.plan(tuning, domain: domain(), policy: policy, on: host)
      #expect(own.refusals.isEmpty && own.changes.isEmpty && own.warnings.count == 1)
    }
    var sibling = GroupSibling(address: Sample.other, driver: "nvme")
    sibling.hostUses = [HostUse("mounted at / (nvme0n1p2)")]
    var proxmox = domain(isManaged: true)
    (proxmox.hypervisor, proxmox.functions[0].kind) = (.proxmox, .hostpci)
    let grouped = host { $0.groupSiblings = [sibling] }
    let whole = Sample.plan(tuning, domain: proxmox, policy: policy, on: grouped)
    #expect(whole.refusals.count == 1 && whole.refusals[0].description.contains("binds as well"))
    policy.pci.forced = [Sample.function.address]
    let forced = Sample.plan(tuning, domain: domain(isManaged: true), policy: policy, on: vital)
    #expect(forced.refusals.isEmpty)
  }

  /// The driver that the configuration names, the one that the function has, and what it gets.
  @Test(
    arguments: [
      ("igb_vfio_pci", "igb", "igb_vfio_pci", "igb_vfio_pci"),
      ("vfio-pci", "igb", "vfio-pci", "vfio-pci"),
      ("igb_vfio_pci", "igb_vfio_pci", "igb_vfio_pci", nil),
      ("igb_vfio_pci", "vfio-pci", "igb_vfio_pci", "igb_vfio_pci"),
      (nil, "igb_vfio_pci", "igb_vfio_pci", nil), (nil, "igb", "pci-stub", "pci-stub"),
      ("nouveau", "igb", nil, nil), ("x/y_vfio_pci", "igb", nil, nil), ("", "igb", nil, nil),
    ] as [(String?, String, String?, String?)])
  func handsAFunctionToTheDriverThatTheConfigurationNames(
    named: String?, standing: String, driver: String?, override: String?
  ) {
    var domain = domain()
    domain.functions[0].driver = named
    var policy = Policy()
    policy.pci.driver = "pci-stub"
    let standing = host { $0.binding = DriverBinding(driver: standing, override: nil) }
    let plan = Sample.plan(tuning, domain: domain, policy: policy, on: standing)
    let wanted = driver.map { Value.driver(DriverBinding(driver: $0, override: override)) }
    #expect(plan.changes.map(\.claim) == [wanted].compactMap { $0 }.map { .alone($0) })
    #expect(plan.refusals.count == (driver == nil ? 1 : 0))
    #expect(plan.refusals.allSatisfy { $0.description.contains("which is no VFIO driver") })
  }

  /// Who has a function on a VFIO driver, unless a domain that is in has it.
  @Test(arguments: [true, false])
  func whatAnotherVMHasIsNotFree(isTaken: Bool) {
    var busy = host {
      $0.binding = DriverBinding(driver: "vfio-pci", override: nil)
      $0.users = [DeviceUser(file: "/dev/vfio/devices/vfio3", name: "qemu", pid: 7)]
    }
    if isTaken { busy.takenFunctions = [Sample.function.address] }
    let own = Sample.plan(tuning, domain: domain(), on: busy)
    #expect(own.refusals.count == (isTaken ? 0 : 1))
    #expect(own.refusals.allSatisfy { $0.description.contains("is open in qemu (process 7)") })
    let theirs = Sample.plan(tuning, domain: domain(isManaged: true), on: busy)
    let warning =
      "0000:41:00.0 is not free for win10: /dev/vfio/devices/vfio3 is open in qemu (process 7)"
    #expect(theirs.warnings == (isTaken ? [] : [warning]) && theirs.refusals.isEmpty)
  }

  @Test func bindsWhatArgumentsOfQEMUsHandOver() {
    var domain = domain()
    domain.functions[0].kind = .argument
    let plan = Sample.plan(tuning, domain: domain, on: host())
    #expect(plan.changes.map(\.claim) == [.alone(vfio)])
    #expect(plan.notes.count == 1 && plan.notes[0].contains("which libvirt does not see"))
  }

  @Test func theLastCheckMissesAFunctionThatWasTakenAway() {
    let plan = Sample.plan(tuning, .start, domain: domain(), on: host())
    #expect(plan.refusals.count == 1 && plan.refusals[0].description.contains("igb"))
    let ready = host { $0.binding = DriverBinding(driver: "vfio-pci", override: "vfio-pci") }
    #expect(Sample.plan(tuning, .start, domain: domain(), on: ready) == Plan(phase: .start))
  }

  @Test func aDomainMayDoWithoutIfPolicySaysSo() {
    var policy = Policy()
    policy.pci.requiresFunctions = false
    let plan = Sample.plan(tuning, domain: domain(), policy: policy, on: Sample.host)
    #expect(plan.refusals.isEmpty && plan.warnings.count == 1)
  }
}
