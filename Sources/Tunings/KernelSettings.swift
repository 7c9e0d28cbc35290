internal import Bytes
internal import HostModel

/// Gives sysctls and other attributes of the kernel the values that policy names.
///
/// They are the whole host's, so two domains want the same of one or the second does without, but
/// where a greater or a smaller number serves both. What could not be given back exactly, or would
/// hurt what runs, is explained instead of done: see `KernelSettingRules`.
struct KernelSettings: Tuning {
  static let name = "kernel-settings"
  var goesByPolicyAlone: Bool { true }

  private static let watchdog = "/proc/sys/kernel/watchdog_cpumask"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    guard request.phase == .prepare else { return needs }
    needs.attributes = request.policy.settings.map(\.path)
    needs.attributes += couplings(in: request.policy).flatMap(\.paths).filter {
      !needs.attributes.contains($0)
    }
    if !request.policy.cpu.hasWatchdog {
      needs.attributes.append(Self.watchdog)
      needs.cpus = true
    }
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare else { return plan }
    for wish in request.policy.settings where Coupling(path: wish.path) == nil {
      do throws(LeftAlone) {
        plan.changes.append(try change(for: wish, request, host))
      } catch {
        plan.warnings.append("\(wish.path) is left alone: \(error.reason)")
      }
    }
    for coupling in couplings(in: request.policy) { couple(coupling, request, host, &plan) }
    if !request.policy.cpu.hasWatchdog { quiet(request, host, &plan) }
    return plan
  }

  private func change(
    for wish: Policy.Attribute, _ request: Request, _ host: HostFacts
  ) throws(LeftAlone) -> Change {
    let facts = host.attributes.first { $0.asked == wish.path }
    guard let facts, let path = facts.path else { throw LeftAlone("this kernel has no such file") }
    guard Policy.Attribute.isAllowed(path) else {
      throw LeftAlone(
        "it leads to \(path), and only what lies below \(Policy.Attribute.roots) is set")
    }
    if let reason = KernelSettingRules.objection(to: wish.value, at: path, host.kernel) {
      throw LeftAlone(reason)
    }
    guard let text = facts.text else { throw LeftAlone("it cannot be read, so not given back") }
    let (value, format) = try written(KernelSettingRules.number(of: wish.value, at: path), in: text)
    // By the path without links, so that two names of one place are one setting.
    return Change(
      .attribute(path: path, format), KernelSettingRules.claim(of: value, at: path),
      because: "policy sets it while \(request.domain.name) is active")
  }

  /// A value as it reads back once it is written, and how the file is to be understood.
  private func written(
    _ value: String, in text: String
  ) throws(LeftAlone) -> (String, AttributeFormat) {
    let words = text.fields(at: " ")
    if words.count(where: { $0.begins(with: "[") && $0.ends(with: "]") }) == 1 {
      let offered = words.map {
        $0.begins(with: "[") ? String($0.droppingFirst().droppingLast()) : String($0)
      }
      guard offered.contains(value) else {
        throw LeftAlone("it offers no “\(value)”, only \(offered.joined(separator: ", "))")
      }
      return (value, .selection)
    }
    if text == "Y" || text == "N" {
      // A switch among the parameters of modules takes many words and shows two.
      guard let isOn = ["1": true, "0": false, "Y": true, "N": false][value] else {
        throw LeftAlone("it holds Y or N, not “\(value)”")
      }
      return (isOn ? "Y" : "N", .text)
    }
    if let number = try number(value, in: text) { return (number, .text) }
    // Several numbers stand in one file with tabs between them.
    guard text.has("\t") else { return (value, .text) }
    return (value.fields(atAnyOf: " ", "\t", "\n", "\r").joined(separator: "\t"), .text)
  }

  /// A number as the file shows it, which is in decimal, or in hexadecimal of some digits; nil where it
  /// holds none.
  private func number(_ value: String, in text: String) throws(LeftAlone) -> String? {
    let digits = text.rest(after: "0x").map { $0.utf8.count }
    guard text.kernelNumber != nil else { return nil }
    guard let number = value.kernelNumber else {
      // It may take words besides, and -1 is a number of no sign to some.
      let isOctal = value.decimal != nil
      if isOctal || digits != nil { throw LeftAlone("it takes a number such as 7, not “\(value)”") }
      return nil
    }
    guard let digits else { return "\(number)" }
    let text = String(number, radix: 16)
    return "0x" + String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }

  /// Takes the lockup detectors off the domain's CPUs: their timers interrupt each vCPU every few
  /// seconds, and a vCPU that never yields is no lockup.
  private func quiet(_ request: Request, _ host: HostFacts, _ plan: inout Plan) {
    let cpus = request.placement.cpus
    guard !cpus.isEmpty else {
      plan.warnings.append(
        "no vCPU of \(request.domain.name) is pinned, so there is no CPU to take the watchdog off")
      return
    }
    guard host.attributes.contains(where: { $0.asked == Self.watchdog && $0.path != nil }) else {
      plan.warnings.append("this kernel has no watchdog that could be taken off CPUs")
      return
    }
    plan.changes.append(
      Change(
        .attribute(path: Self.watchdog, .cpuList), .withoutCPUs(cpus, all: host.possibleCPUs),
        because: "the watchdog's timers would interrupt the vCPUs of \(request.domain.name)"))
  }
}

// MARK: Attributes that the kernel changes together

extension KernelSettings {
  /// Those that policy names one of, in the order in which it does.
  private func couplings(in policy: Policy) -> [Coupling] {
    var couplings: [Coupling] = []
    for coupling in policy.settings.compactMap({ Coupling(path: $0.path) })
    where !couplings.contains(coupling) { couplings.append(coupling) }
    return couplings
  }

  private func couple(
    _ coupling: Coupling, _ request: Request, _ host: HostFacts, _ plan: inout Plan
  ) {
    let wishes = request.policy.settings.filter { Coupling(path: $0.path) == coupling }
    do throws(LeftAlone) {
      let value = try value(of: coupling, for: wishes, host)
      plan.changes.append(
        Change(
          .coupled(coupling), .exactly(.text(value)),
          because: "policy sets it while \(request.domain.name) is active"))
    } catch {
      let paths = wishes.map(\.path).joined(separator: ", ")
      plan.warnings.append(
        "\(paths) \(wishes.count == 1 ? "is" : "are") left alone: \(error.reason)")
    }
  }

  /// What the attributes come to together, with those that policy does not name as they are.
  private func value(
    of coupling: Coupling, for wishes: [Policy.Attribute], _ host: HostFacts
  ) throws(LeftAlone) -> String {
    var numbers: [String: String] = [:]
    for name in coupling.names {
      let path = Coupling.path(of: name)
      numbers[name] = host.attributes.first { $0.asked == path }?.text
    }
    var wanted: [String: String] = [:]
    for name in coupling.names {
      guard let wish = wishes.last(where: { $0.path == Coupling.path(of: name) }) else { continue }
      guard numbers[name] != nil else { throw LeftAlone("this kernel has no \(name)") }
      guard let number = wish.value.kernelNumber else {
        throw LeftAlone("it takes a number, not “\(wish.value)”")
      }
      wanted[name] = "\(number)"
    }
    return coupling.isChoice
      ? try choice(of: coupling, wanted) : switches(of: coupling, wanted, besides: numbers)
  }

  private func choice(
    of coupling: Coupling, _ wanted: [String: String]
  ) throws(LeftAlone) -> String {
    guard let amount = coupling.names.first, let share = coupling.names.last else { return "" }
    switch (wanted[amount] ?? "0", wanted[share] ?? "0") {
    case ("0", "0") where wanted[share] == nil:
      throw LeftAlone("0 there says only that \(share) counts: name that one")
    case ("0", let ratio): return "\(share)=\(ratio)"
    case (let bytes, "0"): return "\(amount)=\(bytes)"
    case (_, _): throw LeftAlone("only one of them counts: name one of the two")
    }
  }

  /// The first switches all the others, and reads as any of them does.
  private func switches(
    of coupling: Coupling, _ wanted: [String: String], besides numbers: [String: String]
  ) -> String {
    guard let main = coupling.names.first else { return "" }
    var numbers = numbers
    let parts = coupling.names.dropFirst().filter { numbers[$0] != nil }
    for part in parts { numbers[part] = wanted[part] ?? wanted[main] ?? numbers[part] }
    if wanted[main] == "0" { for part in parts { numbers[part] = "0" } }
    numbers[main] = parts.contains { numbers[$0] != "0" } ? "1" : wanted[main] ?? "0"
    return coupling.value(of: numbers)
  }
}

/// Why an attribute does not get the value that policy names.
private struct LeftAlone: Error {
  var reason: String

  init(_ reason: String) { self.reason = reason }
}
