/// One place on the host whose value can be read, written and put back.
///
/// A kind of setting is three lines here: a case, what it is (a file of `Settings/`), and that it
/// can be read from the ledger. How its value is read and written is a file of `Places`.
package enum Setting: Hashable, Sendable {
  case attribute(path: String, AttributeFormat)
  case coupled(Coupling)
  case hugepagePool(HugepagePool)
  case driver(PCIAddress)
  case virtualFunctions(of: PCIAddress)
  case virtualFunction(VirtualFunction, VirtualFunctionAttribute)
  case slot(PCISlot)
  case platformDriver(String)
  case module(String)
  case console(String)
  case functionAttribute(PCIAddress, FunctionAttribute)
  case barSize(BAR)
  case allowedCPUs(unit: String)
  case cpuset(group: String)
  case affinity(HostThread)
  case scheduler(HostThread)
  case service(unit: String)
  case ownService(OwnService)
  case coreCookie(ProcessIdentity)
  case interrupt(PassedInterrupt)
  case balancedOff(ProcessIdentity)
  case balancing(PassedInterrupt, by: ProcessIdentity)
  /// All settings of a kind, however many there are at any time.
  case every(Collective)
}

extension Setting {
  /// Has a visitor look at what the setting is.
  func accept<Visitor: SettingVisitor>(_ visitor: inout Visitor) -> Visitor.Answer {
    switch self {
    case .attribute(let path, let format):
      visitor.visit(AttributeSetting(path: path, format: format))
    case .coupled(let coupling): visitor.visit(CoupledSetting(coupling: coupling))
    case .hugepagePool(let pool): visitor.visit(HugepageSetting(pool: pool))
    case .driver(let function): visitor.visit(DriverSetting(function: function))
    case .virtualFunctions(let parent): visitor.visit(VirtualFunctionsSetting(parent: parent))
    case .virtualFunction(let function, let attribute):
      visitor.visit(VirtualFunctionSetting(function: function, attribute: attribute))
    case .slot(let slot): visitor.visit(SlotSetting(slot: slot))
    case .platformDriver(let device): visitor.visit(PlatformDriverSetting(device: device))
    case .module(let module): visitor.visit(ModuleSetting(module: module))
    case .console(let driver): visitor.visit(ConsoleSetting(driver: driver))
    case .functionAttribute(let function, let attribute):
      visitor.visit(FunctionAttributeSetting(function: function, attribute: attribute))
    case .barSize(let bar): visitor.visit(BARSetting(bar: bar))
    case .allowedCPUs(let unit): visitor.visit(AllowedCPUsSetting(unit: unit))
    case .cpuset(let group): visitor.visit(CPUSetSetting(group: group))
    case .affinity(let thread): visitor.visit(AffinitySetting(thread: thread))
    case .scheduler(let thread): visitor.visit(SchedulerSetting(thread: thread))
    case .service(let unit): visitor.visit(ServiceSetting(unit: unit))
    case .ownService(let service): visitor.visit(OwnServiceSetting(service: service))
    case .coreCookie(let process): visitor.visit(CoreCookieSetting(process: process))
    case .interrupt(let interrupt): visitor.visit(InterruptSetting(interrupt: interrupt))
    case .balancedOff(let balancer): visitor.visit(BalancedOffSetting(balancer: balancer))
    case .balancing(let interrupt, let balancer):
      visitor.visit(BalancingSetting(interrupt: interrupt, balancer: balancer))
    case .every(.interrupts(let function)):
      visitor.visit(EveryInterruptSetting(function: function))
    case .every(.balancers): visitor.visit(EveryBalancerSetting())
    case .every(.balancing(let function)): visitor.visit(EveryBalancingSetting(function: function))
    }
  }
}

extension WordReader {
  package mutating func setting() throws(FormatError) -> Setting {
    let word = try choice()
    switch word {
    case AttributeSetting.word: return try AttributeSetting.read(&self)
    case CoupledSetting.word: return try CoupledSetting.read(&self)
    case HugepageSetting.word: return try HugepageSetting.read(&self)
    case DriverSetting.word: return try DriverSetting.read(&self)
    case VirtualFunctionsSetting.word: return try VirtualFunctionsSetting.read(&self)
    case VirtualFunctionSetting.word: return try VirtualFunctionSetting.read(&self)
    case SlotSetting.word: return try SlotSetting.read(&self)
    case PlatformDriverSetting.word: return try PlatformDriverSetting.read(&self)
    case ModuleSetting.word: return try ModuleSetting.read(&self)
    case ConsoleSetting.word: return try ConsoleSetting.read(&self)
    case FunctionAttributeSetting.word: return try FunctionAttributeSetting.read(&self)
    case BARSetting.word: return try BARSetting.read(&self)
    case AllowedCPUsSetting.word: return try AllowedCPUsSetting.read(&self)
    case CPUSetSetting.word: return try CPUSetSetting.read(&self)
    case AffinitySetting.word: return try AffinitySetting.read(&self)
    case SchedulerSetting.word: return try SchedulerSetting.read(&self)
    case ServiceSetting.word: return try ServiceSetting.read(&self)
    case OwnServiceSetting.word: return try OwnServiceSetting.read(&self)
    case CoreCookieSetting.word: return try CoreCookieSetting.read(&self)
    case InterruptSetting.word: return try InterruptSetting.read(&self)
    case BalancedOffSetting.word: return try BalancedOffSetting.read(&self)
    case BalancingSetting.word: return try BalancingSetting.read(&self)
    case EveryInterruptSetting.word: return try EveryInterruptSetting.read(&self)
    case EveryBalancerSetting.word: return try EveryBalancerSetting.read(&self)
    case EveryBalancingSetting.word: return try EveryBalancingSetting.read(&self)
    default: throw FormatError("“\(word)” is no kind of setting")
    }
  }
}
