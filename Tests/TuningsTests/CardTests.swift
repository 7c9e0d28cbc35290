import HostModel
import Testing

@testable import Tunings

/// What a domain that is handed a graphics card wants besides the card itself.
struct CardTests {
  private func host(_ change: (inout FunctionFacts) -> Void = { _ in }) -> HostFacts {
    var host = Sample.host
    var function = Sample.function
    function.classCode = 0x030000
    function.binding.driver = "nouveau"
    change(&function)
    host.functions = [function]
    host.displays.consoles = [
      ConsoleFacts(name: "(S) dummy device", isBound: false),
      ConsoleFacts(name: "(M) frame buffer device", isBound: true),
    ]
    host.displays.framebuffers = [
      FirmwareFramebuffer(
        device: "efi-framebuffer.0",
        binding: DriverBinding(driver: "efi-framebuffer", override: nil), function: nil)
    ]
    return host
  }

  private func domain(
    _ hypervisor: Hypervisor = .libvirt, isManaged: Bool = false,
    kind: PassedFunction.Kind = .hostdev
  ) -> Domain {
    var domain = Sample.domain
    domain.hypervisor = hypervisor
    domain.functions = [
      PassedFunction(address: Sample.function.address, isManaged: isManaged, kind: kind)
    ]
    return domain
  }

  private func policy(_ change: (inout Policy) -> Void) -> Policy {
    var policy = Policy()
    change(&policy)
    return policy
  }

  private let user = DeviceUser(file: "/dev/dri/card0", name: "Xorg", pid: 702)

  // MARK: Who has it open

  @Test(arguments: [
    (Optional("amdgpu"), false, 1, true), ("amdgpu", true, 0, false), ("nvidia", false, 1, true),
    ("nvidia", true, 1, true),
  ])
  func usersKeepACardUnlessForcedAndThoseOfNVIDIAsDriverAlways(
    driver: String?, isForced: Bool, refusals: Int, isAwaited: Bool
  ) {
    let host = host {
      $0.binding.driver = driver
      $0.users = [user]
    }
    let policy = policy { if isForced { $0.pci.forced = [Sample.function.address] } }
    let plan = Sample.plan(PCIBinding(), domain: domain(), policy: policy, on: host)
    #expect(plan.refusals.count == refusals && plan.awaited.isEmpty != isAwaited)
    #expect(plan.changes.isEmpty == (refusals == 1))
  }

  @Test(arguments: [("amdgpu", 0, 1), ("nvidia", 1, 0)])
  func ofWhatProxmoxBindsTheyAreWarnedAbout(driver: String, refusals: Int, warnings: Int) {
    let host = host {
      $0.binding.driver = driver
      $0.users = [user]
    }
    let domain = domain(.proxmox, isManaged: true, kind: .hostpci)
    let plan = Sample.plan(PCIBinding(), domain: domain, on: host)
    #expect(plan.refusals.count == refusals && plan.warnings.count == warnings)
  }

  @Test func whetherItSleepsIsPutBackAfterItsDriver() {
    let host = host { $0.attributes = [.powerControl: "auto"] }
    let setting = Setting.functionAttribute(Sample.function.address, .powerControl)
    let plan = Sample.plan(PCIBinding(), domain: domain(), on: host)
    #expect(plan.changes.map(\.setting) == [.driver(Sample.function.address), setting])
    #expect(plan.changes.last?.claim == .keep)
    #expect(setting.leader == .driver(Sample.function.address))
    let own = policy { $0.pci.powerControl = .on }
    #expect(Sample.plan(PCIBinding(), domain: domain(), policy: own, on: host).changes.count == 1)
  }

  @Test(arguments: [(8, 16, 1), (16, 16, 0)])
  func aNarrowLinkIsNotedAndNoWarning(width: Int, maximum: Int, notes: Int) {
    let host = host {
      $0.link = LinkFacts(
        width: width, maximumWidth: maximum, speed: "2.5 GT/s", maximumSpeed: "16.0 GT/s")
    }
    let plan = Sample.plan(PCIBinding(), domain: domain(), on: host)
    #expect(plan.notes.count == notes && plan.warnings.isEmpty)
  }

  // MARK: Consoles

  @Test func consolesAreLeftAloneUnlessAskedFor() {
    #expect(Sample.needs(Consoles(), .prepare, domain: domain()) == FactNeeds())
    #expect(Sample.plan(Consoles(), domain: domain(), on: host()) == Plan(phase: .prepare))
  }

  @Test(arguments: [
    // The display that the firmware booted with, before the kernel tells more, and since.
    (true, false, PCIAddress?.none, 1, 1), (false, false, Sample.function.address, 1, 1),
    // Another card's, with and without a framebuffer of its own driver.
    (false, true, Sample.other, 1, 0), (false, false, Sample.other, 0, 0),
    (true, false, Sample.other, 0, 0), (false, false, nil, 0, 0),
  ])
  func consolesLeaveTheDisplayThatTheyAreOn(
    isBoot: Bool, hasFramebuffer: Bool, function: PCIAddress?, consoles: Int, framebuffers: Int
  ) {
    var host = host {
      $0.isBootDisplay = isBoot
      $0.hasFramebuffer = hasFramebuffer
    }
    host.displays.framebuffers[0].function = function
    let policy = policy { $0.releasesConsoles = true }
    let plan = Sample.plan(Consoles(), domain: domain(isManaged: true), policy: policy, on: host)
    let settings: [Setting] = [
      .console("(M) frame buffer device"), .platformDriver("efi-framebuffer.0"),
    ]
    let wanted = Array(settings.prefix(consoles)) + settings.suffix(framebuffers)
    #expect(plan.changes.map(\.setting) == wanted)
    #expect(plan.steps.count == wanted.count && plan.warnings.count == framebuffers)
  }

  // MARK: Modules

  @Test(arguments: [
    (ModuleFacts.State.loaded, [Sample.function.address], 1, 0),
    (.loaded, [Sample.function.address, Sample.other], 0, 1),
    (.loaded, [], 1, 0), (.builtIn, [], 0, 1), (.absent, [], 0, 0),
  ])
  func aModuleIsUnloadedWhereNobodyElseHasIt(
    state: ModuleFacts.State, functions: [PCIAddress], changes: Int, warnings: Int
  ) {
    var host = host()
    var module = ModuleFacts(name: "nvidia", state: state)
    module.functions = functions
    host.modules = [module]
    let policy = policy { $0.pci.unloadedModules = ["nvidia"] }
    let plan = Sample.plan(DriverModules(), domain: domain(), policy: policy, on: host)
    #expect(plan.changes.count == changes && plan.steps.count == changes)
    #expect(plan.warnings.count == warnings && plan.refusals.isEmpty)
    #expect(Sample.needs(DriverModules(), .release, policy: policy) == FactNeeds())
  }

  // MARK: Attributes

  @Test(arguments: [
    (["bus"], "flr bus", "bus"), (["bus", "flr"], "flr bus", "bus flr"), (["pm"], "flr bus", nil),
    (["bus"], "", nil), (["bus"], nil, nil),
  ])
  func onlyWaysToResetThatAFunctionOffersAreTaken(
    words: [String], offered: String?, written: String?
  ) {
    let host = host { $0.attributes[.resetMethod] = offered }
    let policy = policy { $0.pci.resetMethods = words }
    let plan = Sample.plan(FunctionAttributes(), domain: domain(), policy: policy, on: host)
    #expect(plan.changes.map(\.claim) == (written.map { [.exactly(.text($0))] } ?? []))
    #expect(plan.warnings.isEmpty == (written != nil))
  }

  @Test func bothHypervisorsFunctionsSleepAsPolicySays() {
    let host = host { $0.attributes = [.d3Cold: "1", .powerControl: "auto"] }
    let policy = policy {
      $0.pci.allowsD3Cold = false
      $0.pci.powerControl = .on
    }
    for hypervisor in [Hypervisor.libvirt, .proxmox] {
      let domain = domain(hypervisor, isManaged: true, kind: .hostpci)
      let plan = Sample.plan(FunctionAttributes(), domain: domain, policy: policy, on: host)
      #expect(plan.changes.map(\.claim) == [.exactly(.text("0")), .exactly(.text("on"))])
    }
    #expect(Sample.needs(FunctionAttributes(), .prepare, domain: domain()) == FactNeeds())
  }
}
