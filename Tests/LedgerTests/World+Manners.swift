import HostModel

extension World {
  /// What the kernel stores of a value that it takes.
  func granted(_ value: Value, to setting: Setting, over standing: Value) -> Value {
    if case .count(let count) = value, case .count(let now) = standing,
      let limit = limits[setting]
    {
      return .count(min(count, max(limit, now)))
    }
    return normalizations[setting]?(value) ?? value
  }

  /// The values that stand there one after the other while a value is written.
  ///
  /// A driver is changed as `DriverPlace` does it: override, unbind, bind, override. A unit that
  /// is to be confined no longer is widened first, since emptying its property at once would leave
  /// its tasks confined; its drop-in goes last.
  func stages(
    of value: Value, to setting: Setting, over standing: Value
  ) -> [Value] {
    switch (standing, value) {
    case (.driver(let from), .driver(let to)) where from.driver != to.driver:
      let override = to.driver ?? to.override
      return [
        .driver(DriverBinding(driver: from.driver, override: override)),
        .driver(DriverBinding(driver: nil, override: override)),
        .driver(DriverBinding(driver: to.driver, override: override)),
        value,
      ]
    case (.count(let from), .count(let to)) where setting.isFixedWhileHeld && from > 0 && to > 0:
      return [.count(0), value]
    case (.functions(let from), .functions(let to)) where from.count > 1 || to.count > 1:
      let known = to.isEmpty ? Array(from.dropLast()) : [to[0]]
      return [.functions(known), value]
    case (.allowedCPUs(let from), .allowedCPUs(let to)) where !to.hasRuntimeDropIn:
      let widened = to.cpus.isEmpty ? from.cpus.union(Sample.everyCPU) : to.cpus
      return [
        .allowedCPUs(AllowedCPUs(cpus: widened, hasRuntimeDropIn: true)),
        .allowedCPUs(AllowedCPUs(cpus: to.cpus, hasRuntimeDropIn: true)),
        value,
      ]
    case (.activity(let from), .activity(let to)) where from != to:
      return [.activity(to == .active ? .starting : .stopping), value]
    default: return [value]
    }
  }

  /// Makes one change, with what follows from it.
  func change(_ setting: Setting, to value: Value) {
    writes.append((setting, value))
    effects.append(steps)
    let before = values[setting]
    if isSlowToAnswer, setting.hasStaleReads {
      told[setting] = value
    } else {
      values[setting] = value
    }
    if setting == Sample.slice { forgetAffinities() }
    if setting == Sample.card { changeDriver(from: before, to: value) }
    if setting == Crowd.module { changeModule(to: value) }
  }

  /// Does what drivers do to a function besides: a VFIO driver lets it sleep, and forbids it when it
  /// leaves; the host's own is loaded with its module.
  private func changeDriver(from before: Value?, to value: Value) {
    guard case .driver(let old)? = before, case .driver(let new) = value, old.driver != new.driver
    else { return }
    if values[Crowd.sleep] != nil {
      if new.driver == "vfio-pci" { values[Crowd.sleep] = .text("auto") }
      if old.driver == "vfio-pci" { values[Crowd.sleep] = .text("on") }
    }
    if new.driver == "igb", values[Crowd.module] != nil {
      values[Crowd.module] = ModuleState.loaded
    }
  }

  /// A module takes its driver along, and with it the function; a driver that comes looks for what
  /// is free and meant for it.
  private func changeModule(to value: Value) {
    guard case .driver(var binding)? = values[Sample.card] else { return }
    let isFree = binding.driver == nil && [nil, "igb"].contains(binding.override)
    switch value {
    case ModuleState.absent where binding.driver == "igb": binding.driver = nil
    case ModuleState.loaded where isFree: binding.driver = "igb"
    default: return
    }
    values[Sample.card] = .driver(binding)
  }

  /// What was told shows from here on.
  func lookAgain() {
    values.merge(told) { _, new in new }
    told = [:]
  }

  /// Gives tasks all CPUs that they may have, as kernels before 6.2 do whenever a cpuset changes
  /// (kernel/cgroup/cpuset.c).
  private func forgetAffinities() {
    guard values[Sample.task] != nil, case .allowedCPUs(let allowed)? = values[Sample.slice]
    else { return }
    values[Sample.task] = .cpus(allowed.cpus.isEmpty ? Sample.everyCPU : allowed.cpus)
  }
}
