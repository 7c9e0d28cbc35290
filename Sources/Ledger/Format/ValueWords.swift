internal import HostModel

extension WordWriter {
  mutating func value(_ value: Value?) {
    switch value {
    case nil: none()
    case .text(let text):
      raw("text")
      self.text(text)
    case .cpus(let cpus):
      raw("cpus")
      self.cpus(cpus)
    case .count(let count):
      raw("count")
      number(count)
    case .driver(let binding):
      raw("driver")
      optional(binding.driver)
      optional(binding.override)
    case .functions(let functions):
      raw("functions")
      number(functions.count)
      for function in functions { self.function(function) }
    case .allowedCPUs(let allowed):
      raw("allowed")
      cpus(allowed.cpus)
      raw(allowed.hasRuntimeDropIn ? "drop-in" : "unset")
    case .scheduler(let scheduler):
      raw("scheduler")
      number(scheduler.policy)
      number(scheduler.priority)
      raw(scheduler.resetsOnFork ? "reset-on-fork" : "inherited")
    case .activity(let activity):
      raw("activity")
      raw(activity.rawValue)
    }
  }

  private mutating func function(_ function: SlotFunction) {
    raw("\(function.address)")
    optional(function.binding.driver)
    optional(function.binding.override)
    number(function.attributes.count)
    for attribute in function.attributes {
      text(attribute.name)
      text(attribute.text)
    }
  }

  mutating func claim(_ claim: Claim) {
    switch claim {
    case .exactly(let value):
      raw("exactly")
      self.value(value)
    case .alone(let value):
      raw("alone")
      self.value(value)
    case .withoutCPUs(let cpus, let all):
      raw("without-cpus")
      self.cpus(cpus)
      self.cpus(all)
    case .withCPUs(let cpus):
      raw("with-cpus")
      self.cpus(cpus)
    case .more(let count, let need):
      raw("more")
      number(count)
      number(need)
    case .keep: raw("keep")
    case .lent(let value):
      raw("lent")
      self.value(value)
    case .atLeast(let count):
      raw("at-least")
      number(count)
    case .atMost(let count):
      raw("at-most")
      number(count)
    }
  }
}

extension WordReader {
  mutating func value() throws(FormatError) -> Value {
    guard let value = try optionalValue() else { throw FormatError("a value is missing") }
    return value
  }

  mutating func optionalValue() throws(FormatError) -> Value? {
    if isNone() { return nil }
    let kind = try choice()
    switch kind {
    case "text": return .text(try text())
    case "cpus": return .cpus(try cpus())
    case "count": return .count(try number(as: .count))
    case "driver":
      return .driver(DriverBinding(driver: try optional(), override: try optional()))
    case "functions": return .functions(try functions())
    case "allowed":
      let cpus = try cpus()
      return .allowedCPUs(
        AllowedCPUs(cpus: cpus, hasRuntimeDropIn: try flag("drop-in", else: "unset")))
    case "scheduler":
      return .scheduler(
        ThreadScheduler(
          policy: try number(), priority: try number(),
          resetsOnFork: try flag("reset-on-fork", else: "inherited")))
    case "activity":
      return .activity(try keyword(else: "no activity"))
    default: throw FormatError("“\(kind)” is no kind of value")
    }
  }

  private mutating func functions() throws(FormatError) -> [SlotFunction] {
    var functions: [SlotFunction] = []
    for _ in 0..<(try count(upTo: 8)) {
      var function = SlotFunction(
        address: try address(),
        binding: DriverBinding(driver: try optional(), override: try optional()))
      for _ in 0..<(try count(upTo: 64)) {
        function.attributes.append(SlotFunction.Attribute(name: try text(), text: try text()))
      }
      functions.append(function)
    }
    return functions
  }

  private mutating func count(upTo limit: Int) throws(FormatError) -> Int {
    let count: Int = try number()
    guard (0...limit).contains(count) else { throw FormatError("\(count) are too many") }
    return count
  }

  mutating func claim() throws(FormatError) -> Claim {
    let kind = try choice()
    switch kind {
    case "exactly": return .exactly(try value())
    case "alone": return .alone(try value())
    case "without-cpus": return .withoutCPUs(try cpus(), all: try cpus())
    case "with-cpus": return .withCPUs(try cpus())
    case "more": return .more(try number(as: .pages), need: try number(as: .pages))
    case "keep": return .keep
    case "lent": return .lent(try value())
    case "at-least": return .atLeast(try number())
    case "at-most": return .atMost(try number())
    default: throw FormatError("“\(kind)” is no kind of claim")
    }
  }

  private mutating func flag(_ yes: String, else no: String) throws(FormatError) -> Bool {
    let word = try choice()
    if yes ~= word { return true }
    if no ~= word { return false }
    throw FormatError("“\(word)” is neither \(yes) nor \(no)")
  }
}
