internal import HostModel

/// Runs the CPUs of a domain's vCPUs at the speed that policy asks for.
///
/// cpufreq knows policies, not CPUs: all CPUs of one change together, those of the host and of
/// other domains among them. What is asked for is checked against what the driver offers, as the
/// names differ from driver to driver.
///
/// The governor and the energy preference depend on each other. Under the governor `performance`
/// the kernel takes no other preference than `performance` (`EBUSY`: intel_pstate, and amd-pstate
/// from 6.17 on), and amd-pstate leaves it there when the governor changes back. So who asks for
/// that governor claims that preference, too, and it is given back once the governor is; and who
/// asks for another preference claims the governor under which it can stand.
struct CPUFrequency: Tuning {
  static let name = "cpu-frequency"
  var goesByPolicyAlone: Bool { true }

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    needs.boost = request.phase == .prepare && request.policy.cpu.boost != nil
    if isAfterStart(request.phase), isWanted(by: request) {
      needs.frequencyCPUs = request.placement.cpus
    }
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    if request.phase == .prepare { prepare(request, host, &plan) }
    guard isAfterStart(request.phase), isWanted(by: request) else { return plan }
    var objections = Objections()
    for policy in host.frequencies {
      plan.changes += speed(of: policy, request, &objections)
      plan.changes += minimum(of: policy, request, &objections)
    }
    let missing = host.frequencies.reduce(request.placement.cpus) { $0.subtracting($1.cpus) }
    if !missing.isEmpty { objections.add("no driver controls their frequency", missing) }
    plan.warnings += objections.sentences
    return plan
  }

  private func isWanted(by request: Request) -> Bool {
    let cpu = request.policy.cpu
    return cpu.governor != nil || cpu.energyPreference != nil || cpu.minimumFrequency != nil
  }

  private func setting(_ file: String, of policy: FrequencyFacts) -> Setting {
    .attribute(path: "/sys/devices/system/cpu/cpufreq/\(policy.name)/\(file)", .text)
  }
}

// MARK: Before QEMU runs

extension CPUFrequency {
  // The switch is the host's, and moves the limits of every policy: it is thrown before those are
  // read, and given back after what depends on them.
  private func prepare(_ request: Request, _ host: HostFacts, _ plan: inout Plan) {
    if isWanted(by: request), request.placement.cpus.isEmpty {
      plan.warnings.append(
        "no vCPU of \(request.domain.name) is pinned, so there is no CPU whose frequency could be "
          + "set for it")
    }
    guard let wanted = request.policy.cpu.boost else { return }
    guard let boost = host.boost else {
      plan.warnings.append("this host has no switch for frequencies above the base frequency")
      return
    }
    let text = wanted != boost.isInverted ? "1" : "0"
    if boost.text != text, let reason = objection(to: boost) {
      plan.warnings.append("boost is left alone: \(reason)")
      return
    }
    plan.changes.append(
      Change(
        .attribute(path: boost.path, .text), .exactly(.text(text)),
        because: "policy wants all CPUs \(wanted ? "above" : "at most at") their base frequency "
          + "for \(request.domain.name)"))
  }

  /// What the switch would change besides, and not put back.
  private func objection(to boost: BoostFacts) -> String? {
    if !boost.limitedPolicies.isEmpty {
      return "the kernel would reset scaling_max_freq, which was lowered for "
        + boost.limitedPolicies.joined(separator: ", ")
    }
    if !boost.deviatingPolicies.isEmpty {
      return "the kernel would set the boost of every policy, which differs for "
        + "\(boost.deviatingPolicies.joined(separator: ", "))"
    }
    return nil
  }
}

// MARK: Governor and preference

extension CPUFrequency {
  private static let fastest = "performance"

  private func speed(
    of policy: FrequencyFacts, _ request: Request, _ objections: inout Objections
  ) -> [Change] {
    let governor = governor(of: policy, request, &objections)
    let preference = preference(of: policy, under: governor, request, &objections)
    var held = governor
    // On later phases the claim stands already, and what is read may be somebody else's.
    if governor == nil, let preference, preference != Self.fastest, request.phase == .started {
      held = policy.governor
    }
    let name = request.domain.name
    var changes: [Change] = []
    if let preference {
      changes.append(
        Change(
          setting("energy_performance_preference", of: policy), .exactly(.text(preference)),
          because: request.policy.cpu.energyPreference == preference
            ? "policy runs \(name) with this preference, on CPUs \(policy.cpus)"
            : "the governor \(Self.fastest) takes no other, on CPUs \(policy.cpus) of \(name)"))
    }
    if let held {
      let change = Change(
        setting("scaling_governor", of: policy), .exactly(.text(held)),
        because: governor == nil
          ? "the energy preference of \(name) stands under this governor only"
          : "policy runs \(name) under this governor, on CPUs \(policy.cpus)")
      // Away from `performance` the governor has to go first, as any preference but one is refused
      // under it; towards it the preference, so that giving back ends with the preference.
      let leaves = policy.governor == Self.fastest && held != Self.fastest
      changes.insert(change, at: leaves ? 0 : changes.count)
    }
    return changes
  }

  private func governor(
    of policy: FrequencyFacts, _ request: Request, _ objections: inout Objections
  ) -> String? {
    guard let wanted = request.policy.cpu.governor else { return nil }
    guard policy.governors.isEmpty || policy.governors.contains(wanted) else {
      objections.add(
        "the driver offers no governor “\(wanted)”, only \(list(policy.governors))", policy.cpus)
      return nil
    }
    let isUnreadable = !policy.energyPreferences.isEmpty && policy.energyPreference == nil
    if wanted == Self.fastest, policy.governor != wanted, isUnreadable {
      objections.add(
        "the governor stays: with “\(wanted)” the energy preference would be lost, as its value "
          + "cannot be read", policy.cpus)
      return nil
    }
    return wanted
  }

  /// The preference to be claimed; what is asked for, or what the governor brings with it.
  private func preference(
    of policy: FrequencyFacts, under governor: String?, _ request: Request,
    _ objections: inout Objections
  ) -> String? {
    let offered = policy.energyPreferences
    let forced = governor == Self.fastest && offered.contains(Self.fastest) ? Self.fastest : nil
    guard let wanted = request.policy.cpu.energyPreference else { return forced }
    if offered.isEmpty {
      objections.add("the driver knows of no energy preference", policy.cpus)
    } else if !offered.contains(wanted) {
      objections.add(
        "the driver offers no energy preference “\(wanted)”, only \(list(offered))", policy.cpus)
    } else if wanted != Self.fastest, (governor ?? policy.governor) == Self.fastest {
      objections.add(
        "under the governor \(Self.fastest) the kernel takes no energy preference “\(wanted)”",
        policy.cpus)
    } else {
      return wanted
    }
    return forced
  }

  private func list(_ words: [String]) -> String { words.joined(separator: ", ") }
}

// MARK: The lowest frequency

extension CPUFrequency {
  private func minimum(
    of policy: FrequencyFacts, _ request: Request, _ objections: inout Objections
  ) -> [Change] {
    guard let wanted = request.policy.cpu.minimumFrequency else { return [] }
    guard let highest = policy.maximum else {
      objections.add("the driver does not tell their greatest frequency", policy.cpus)
      return []
    }
    var target = highest
    if case .kHz(let frequency) = wanted {
      if frequency > highest {
        objections.add(
          "they reach \(highest / 1000) MHz, not \(frequency / 1000) MHz, so that is their minimum",
          policy.cpus)
      }
      // The kernel keeps what it is told within the limits and says nothing, and makes of it the next
      // frequency of the driver's table (drivers/cpufreq/cpufreq.c, `cpufreq_set_policy()`).
      target = min(policy.table.first { $0 >= frequency } ?? frequency, highest)
    }
    return [
      Change(
        setting("scaling_min_freq", of: policy), .atLeast(target),
        because: "policy keeps \(request.domain.name) from slowing down, on CPUs \(policy.cpus)")
    ]
  }
}

/// What stands against a wish, with the CPUs that it stands against: hosts have a policy for each
/// CPU, and the same reason for all of them.
struct Objections {
  private var reasons: [(text: String, cpus: CPUList)] = []

  mutating func add(_ text: String, _ cpus: CPUList) {
    if let index = reasons.firstIndex(where: { $0.text == text }) {
      reasons[index].cpus = reasons[index].cpus.union(cpus)
    } else {
      reasons.append((text, cpus))
    }
  }

  var sentences: [String] { reasons.map { "CPUs \($0.cpus): \($0.text)" } }
}
