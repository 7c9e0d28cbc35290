internal import Bytes
internal import HostModel

extension WordWriter {
  mutating func setting(_ setting: Setting) {
    switch setting {
    case .attribute(let path, let format):
      raw("attribute")
      raw(format.rawValue)
      text(path)
    case .hugepagePool(let pool):
      raw("hugepages")
      number(pool.node)
      number(pool.pageKiB)
    case .driver(let address):
      raw("driver")
      raw("\(address)")
    case .virtualFunctions(let parent):
      raw("vfs")
      raw("\(parent)")
    case .virtualFunction(let function, let attribute):
      raw("vf")
      raw("\(function.parent)")
      number(function.index)
      raw(attribute.rawValue)
    case .slot(let slot):
      raw("slot")
      raw("\(slot)")
    case .platformDriver(let device):
      raw("platform-driver")
      text(device)
    case .module(let name):
      raw("module")
      text(name)
    case .console(let name):
      raw("console")
      text(name)
    case .functionAttribute(let address, let attribute):
      raw("function-attribute")
      raw("\(address)")
      raw(attribute.rawValue)
    case .barSize(let bar):
      raw("bar")
      raw("\(bar.function)")
      number(bar.number)
    case .allowedCPUs(let unit):
      raw("allowed-cpus")
      text(unit)
    case .affinity(let thread):
      raw("affinity")
      self.thread(thread)
    case .scheduler(let thread):
      raw("scheduler")
      self.thread(thread)
    case .service(let unit):
      raw("service")
      text(unit)
    case .ownService(let service):
      raw("own-service")
      self.service(service)
    case .coreCookie(let process):
      raw("core-cookie")
      self.process(process)
    case .interrupt(let interrupt):
      raw("interrupt")
      self.interrupt(interrupt)
    case .balancedOff(let process):
      raw("balanced-off")
      self.process(process)
    case .balancing(let interrupt, let process):
      raw("balancing")
      self.interrupt(interrupt)
      self.process(process)
    case .every(.interrupts(let function)):
      raw("every-interrupt")
      raw("\(function)")
    case .every(.balancers): raw("every-balancer")
    case .every(.balancing(let function)):
      raw("every-balancing")
      raw("\(function)")
    }
  }

  private mutating func service(_ service: OwnService) {
    text(service.unit)
    text(service.title)
    raw(service.manner.rawValue)
    number(service.seconds)
    optional(service.boundTo)
    texts(service.command)
    number(service.undo.count)
    for command in service.undo { texts(command) }
    texts(service.environment)
  }

  private mutating func texts(_ texts: [String]) {
    number(texts.count)
    for text in texts { self.text(text) }
  }

  private mutating func process(_ process: ProcessIdentity) {
    number(process.pid)
    number(process.startTime)
  }

  private mutating func interrupt(_ interrupt: PassedInterrupt) {
    number(interrupt.number)
    raw("\(interrupt.function)")
  }

  private mutating func thread(_ thread: HostThread) {
    number(thread.pid)
    number(thread.tid)
    number(thread.startTime)
    switch thread.role {
    case .emulator: raw("emulator")
    case .vcpu(let id): raw("vcpu:\(id)")
    case .iothread(let id): raw("iothread:\(id)")
    case .vhost: raw("vhost")
    case .worker: raw("worker")
    case .foreign: raw("task")
    }
  }
}

extension WordReader {
  mutating func setting() throws(FormatError) -> Setting {
    let kind = try raw()
    switch kind {
    case "attribute":
      let format = try raw()
      guard let format = AttributeFormat(rawValue: format) else {
        throw FormatError("“\(format)” is no format of an attribute")
      }
      return .attribute(path: try text(), format)
    case "hugepages": return .hugepagePool(HugepagePool(node: try number(), pageKiB: try number()))
    case "driver": return .driver(try address())
    case "vfs": return .virtualFunctions(of: try address())
    case "vf":
      let function = VirtualFunction(of: try address(), index: try number())
      let word = try raw()
      guard let attribute = VirtualFunctionAttribute(rawValue: word) else {
        throw FormatError("“\(word)” is nothing of a virtual function")
      }
      return .virtualFunction(function, attribute)
    case "slot":
      let text = try raw()
      guard let slot = PCISlot(text), "\(slot)" == text else {
        throw FormatError("“\(text)” is no slot")
      }
      return .slot(slot)
    case "platform-driver": return .platformDriver(try text())
    case "module": return .module(try text())
    case "console": return .console(try text())
    case "function-attribute":
      let address = try address()
      let word = try raw()
      guard let attribute = FunctionAttribute(rawValue: word) else {
        throw FormatError("“\(word)” is no attribute of a function")
      }
      return .functionAttribute(address, attribute)
    case "bar": return .barSize(BAR(of: try address(), try number()))
    case "allowed-cpus": return .allowedCPUs(unit: try text())
    case "affinity": return .affinity(try thread())
    case "scheduler": return .scheduler(try thread())
    case "service": return .service(unit: try text())
    case "own-service": return .ownService(try service())
    case "core-cookie": return .coreCookie(try process())
    case "interrupt": return .interrupt(try interrupt())
    case "balanced-off": return .balancedOff(try process())
    case "balancing": return .balancing(try interrupt(), by: try process())
    case "every-interrupt": return .every(.interrupts(of: try address()))
    case "every-balancer": return .every(.balancers)
    case "every-balancing": return .every(.balancing(of: try address()))
    default: throw FormatError("“\(kind)” is no kind of setting")
    }
  }

  private mutating func service() throws(FormatError) -> OwnService {
    let (unit, title, word) = (try text(), try text(), try raw())
    guard let manner = OwnService.Manner(rawValue: word) else {
      throw FormatError("“\(word)” is no manner of a service")
    }
    var service = OwnService(
      unit: unit, title: title, manner: manner, command: [], seconds: try number())
    service.boundTo = try optional()
    service.command = try texts()
    for _ in 0..<(try count()) { service.undo.append(try texts()) }
    service.environment = try texts()
    return service
  }

  private mutating func texts() throws(FormatError) -> [String] {
    var texts: [String] = []
    for _ in 0..<(try count()) { texts.append(try text()) }
    return texts
  }

  private mutating func count() throws(FormatError) -> Int {
    let count: Int = try number()
    guard count >= 0 else { throw FormatError("\(count) is no number of words") }
    return count
  }

  mutating func address() throws(FormatError) -> PCIAddress {
    let text = try raw()
    guard let address = PCIAddress(text), "\(address)" == text else {
      throw FormatError("“\(text)” is no PCI address")
    }
    return address
  }

  private mutating func process() throws(FormatError) -> ProcessIdentity {
    ProcessIdentity(pid: try number(), startTime: try number())
  }

  private mutating func interrupt() throws(FormatError) -> PassedInterrupt {
    PassedInterrupt(number: try number(), function: try address())
  }

  private mutating func thread() throws(FormatError) -> HostThread {
    HostThread(
      pid: try number(), tid: try number(), startTime: try number(), role: try role())
  }

  private mutating func role() throws(FormatError) -> ThreadRole {
    let word = try raw()
    switch word {
    case "emulator": return .emulator
    case "vhost": return .vhost
    case "worker": return .worker
    case "task": return .foreign
    default: break
    }
    let parts = word.fields(at: ":", keepingEmpty: true)
    guard parts.count == 2, let id = Int(parts[1]), "\(id)" == parts[1] else {
      throw FormatError("“\(word)” is no role of a thread")
    }
    switch parts[0] {
    case "vcpu": return .vcpu(id)
    case "iothread": return .iothread(id)
    default: throw FormatError("“\(word)” is no role of a thread")
    }
  }
}
