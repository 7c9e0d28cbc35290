internal import Bytes

/// What facts tell of settings: the one place where a kind of setting that plans look at is named.
///
/// A plan that sees through domains on their way out is made from facts in which their settings hold
/// what they will hold then (`Ledger.withoutLeavers`).
extension HostFacts {
  /// What was read of a setting, as its place would tell it; nil where the facts tell nothing of it.
  ///
  /// What is told of something else besides, such as the driver of a function that is beside another
  /// one, is changed with it. A setting that the facts tell nothing of stays so.
  package subscript(setting: Setting) -> Value? {
    get {
      switch setting {
      case .attribute(let path, let format): attribute(path, format)
      case .hugepagePool(let pool): persistentPages(in: pool).map(Value.count)
      case .driver(let address): binding(of: address).map(Value.driver)
      case .functionAttribute(let address, let attribute):
        allFunctions.first { $0.address == address }?.attributes[attribute].map(Value.text)
      case .platformDriver(let device):
        displays.framebuffers.first { $0.device == device }.map { .driver($0.binding) }
      case .console(let name):
        displays.consoles.first { $0.name == name }.map { .text($0.isBound ? "1" : "0") }
      case .module(let name):
        modules.first { $0.name == name }.map {
          $0.state == .absent ? ModuleState.absent : ModuleState.loaded
        }
      case .virtualFunctions(let parent):
        physicalFunctions.first { $0.address == parent }.map { .count($0.count) }
      case .barSize(let bar): bars.first { $0.bar == bar }.map { .count($0.mebibytes) }
      case .service(let unit):
        services.first { $0.unit == unit }.map { .activity($0.isActive ? .active : .inactive) }
      case .affinity(let thread):
        kernelWork.threads.first { $0.thread == thread }.map { .cpus($0.cpus) }
      case .cpuset(let group):
        process?.otherGroups.first { $0.path == group }.map { .cpus($0.cpus) }
      case .coupled, .virtualFunction, .slot, .allowedCPUs, .scheduler, .ownService, .coreCookie,
        .interrupt,
        .balancedOff, .balancing, .every:
        nil
      }
    }
    set {
      switch (setting, newValue) {
      case (.attribute(let path, _), let value?): setAttribute(path, value)
      case (.hugepagePool(let pool), .count(let count)): setPersistentPages(count, in: pool)
      case (.driver(let address), .driver(let binding)): setBinding(binding, of: address)
      case (.functionAttribute(let address, let attribute), .text(let text)):
        changeFunctions { if $0.address == address { $0.attributes[attribute] = text } }
      case (.platformDriver(let device), .driver(let binding)):
        for index in displays.framebuffers.indices
        where displays.framebuffers[index].device == device {
          displays.framebuffers[index].binding = binding
        }
      case (.console(let name), .text(let text)):
        for index in displays.consoles.indices where displays.consoles[index].name == name {
          displays.consoles[index].isBound = text == "1"
        }
      case (.module(let name), let value?):
        for index in modules.indices where modules[index].name == name {
          modules[index].state = value == ModuleState.absent ? .absent : .loaded
        }
      case (.virtualFunctions(let parent), .count(let count)):
        for index in physicalFunctions.indices where physicalFunctions[index].address == parent {
          physicalFunctions[index].count = count
        }
      case (.barSize(let bar), .count(let count)):
        for index in bars.indices where bars[index].bar == bar { bars[index].mebibytes = count }
      case (.service(let unit), .activity(let activity)):
        for index in services.indices where services[index].unit == unit {
          services[index].isActive = activity == .active
        }
      case (.affinity(let thread), .cpus(let cpus)):
        for index in kernelWork.threads.indices where kernelWork.threads[index].thread == thread {
          kernelWork.threads[index].cpus = cpus
        }
      case (.cpuset(let group), .cpus(let cpus)):
        guard let index = process?.otherGroups.firstIndex(where: { $0.path == group }) else {
          break
        }
        process?.otherGroups[index].cpus = cpus
      default: break
      }
    }
  }
}

// MARK: Huge pages

extension HostFacts {
  /// Counts so many of a pool's surplus pages as no stranger's.
  package mutating func excludeFromSurplus(_ pages: Int, of pool: HugepagePool) {
    for node in nodes.indices where nodes[node].id == pool.node {
      for index in nodes[node].pools.indices where nodes[node].pools[index].pageKiB == pool.pageKiB
      {
        let foreign = nodes[node].pools[index].foreignSurplus
        nodes[node].pools[index].foreignSurplus = max(0, foreign - pages)
      }
    }
  }

  /// The surplus pages of a pool that are no stranger's.
  package func surplusOfDomains(in pool: HugepagePool) -> Int {
    guard let index = index(of: pool) else { return 0 }
    let facts = nodes[index.node].pools[index.pool]
    return max(0, facts.surplus - facts.foreignSurplus)
  }

  private func index(of pool: HugepagePool) -> (node: Int, pool: Int)? {
    guard let node = nodes.firstIndex(where: { $0.id == pool.node }),
      let index = nodes[node].pools.firstIndex(where: { $0.pageKiB == pool.pageKiB })
    else { return nil }
    return (node, index)
  }

  private func persistentPages(in pool: HugepagePool) -> Int? {
    guard let index = index(of: pool) else { return nil }
    let facts = nodes[index.node].pools[index.pool]
    return facts.total - facts.surplus
  }

  /// Takes free pages off a pool and gives their memory back, or the other way round; pages in use, and
  /// as many as are mapped on any node, stay as surplus (mm/hugetlb.c, `set_max_huge_pages`).
  private mutating func setPersistentPages(_ count: Int, in pool: HugepagePool) {
    guard let index = index(of: pool) else { return }
    var facts = nodes[index.node].pools[index.pool]
    let more = count - (facts.total - facts.surplus)
    let size = hugepageSizes.first { $0.pageKiB == pool.pageKiB }
    let unreserved = size.map { max(0, $0.free - $0.reserved) } ?? facts.free
    let moved = max(more, -min(facts.free, unreserved))
    facts.total += moved
    facts.free += moved
    facts.surplus += moved - more
    facts.foreignSurplus += moved - more
    nodes[index.node].pools[index.pool] = facts
    nodes[index.node].freeKiB -= pool.kibibytes(in: moved)
    for size in hugepageSizes.indices where hugepageSizes[size].pageKiB == pool.pageKiB {
      hugepageSizes[size].free = max(0, hugepageSizes[size].free + moved)
    }
  }
}

// MARK: Functions

extension HostFacts {
  private var allFunctions: [FunctionFacts] { functions + slots.flatMap(\.functions) }

  private mutating func changeFunctions(_ change: (inout FunctionFacts) -> Void) {
    for index in functions.indices { change(&functions[index]) }
    for slot in slots.indices {
      for index in slots[slot].functions.indices { change(&slots[slot].functions[index]) }
    }
  }

  private func binding(of address: PCIAddress) -> DriverBinding? {
    let all = allFunctions
    return all.first { $0.address == address }?.binding
      ?? all.flatMap(\.groupSiblings).first { $0.address == address }?.binding
  }

  private mutating func setBinding(_ binding: DriverBinding, of address: PCIAddress) {
    changeFunctions { function in
      if function.address == address { function.binding = binding }
      for index in function.groupSiblings.indices
      where function.groupSiblings[index].address == address {
        function.groupSiblings[index].binding = binding
      }
    }
  }
}

// MARK: Attributes

extension HostFacts {
  /// A field that tells of an attribute.
  private enum Field {
    case text(WritableKeyPath<HostFacts, String>)
    case optionalText(WritableKeyPath<HostFacts, String?>)
    case cpus(WritableKeyPath<HostFacts, CPUList>)
    case number(WritableKeyPath<HostFacts, Int?>)
  }

  /// The fields that tell of the attribute at a path.
  private func fields(telling path: String) -> [Field] {
    var fields: [Field] = []
    let cpus = "/sys/devices/system/cpu"
    for index in attributes.indices where attributes[index].path == path {
      fields.append(.optionalText(\.attributes[index].text))
    }
    for index in idleStates.indices
    where path == "\(cpus)/cpu\(idleStates[index].cpu)/power/pm_qos_resume_latency_us" {
      fields.append(.optionalText(\.idleStates[index].latencyLimit))
    }
    for index in frequencies.indices {
      let folder = "\(cpus)/cpufreq/\(frequencies[index].name)"
      if path == "\(folder)/scaling_governor" {
        fields.append(.text(\.frequencies[index].governor))
      }
      if path == "\(folder)/energy_performance_preference" {
        fields.append(.optionalText(\.frequencies[index].energyPreference))
      }
    }
    if boost?.path == path { fields.append(.optionalText(\.boostText)) }
    // There may be thousands of them, and as many that are given back.
    if let place = path.rest(after: "/proc/irq/"),
      let number = place.rest(before: "/smp_affinity_list").flatMap({ Int($0) }),
      let index = interrupts.interrupts.firstIndex(where: { $0.number == number })
    {
      fields.append(.cpus(\.interrupts.interrupts[index].cpus))
    }
    if path == "/proc/irq/default_smp_affinity" { fields.append(.cpus(\.interruptStandard)) }
    for index in kernelWork.queues.indices where kernelWork.queues[index].path == path {
      fields.append(.cpus(\.kernelWork.queues[index].cpus))
    }
    if path == "/proc/sys/kernel/sched_rt_runtime_us" {
      fields.append(.number(\.realtimeRuntimeMicroseconds))
    }
    return fields
  }

  private var boostText: String? {
    get { boost?.text }
    set { boost?.text = newValue }
  }

  private var interruptStandard: CPUList {
    get { interrupts.standard ?? [] }
    set { if interrupts.standard != nil { interrupts.standard = newValue } }
  }

  private func attribute(_ path: String, _ format: AttributeFormat) -> Value? {
    // The text of a choice holds all that is offered, and its value one word of that.
    guard format != .selection, let field = fields(telling: path).first else { return nil }
    switch field {
    case .text(let text): return .text(self[keyPath: text])
    case .optionalText(let text):
      return format == .text ? self[keyPath: text].map(Value.text) : nil
    case .cpus(let cpus): return .cpus(self[keyPath: cpus])
    case .number(let number): return self[keyPath: number].map { .text("\($0)") }
    }
  }

  private mutating func setAttribute(_ path: String, _ value: Value) {
    for field in fields(telling: path) {
      switch (field, value) {
      case (.text(let place), .text(let text)): self[keyPath: place] = text
      case (.optionalText(let place), .text(let text)): self[keyPath: place] = text
      case (.cpus(let place), .cpus(let cpus)): self[keyPath: place] = cpus
      case (.number(let place), .text(let text)): self[keyPath: place] = Int(text)
      default: break
      }
    }
  }
}
