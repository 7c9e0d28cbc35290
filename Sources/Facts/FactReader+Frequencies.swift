internal import Bytes
import HostModel
internal import Port

extension FactReader {
  /// The policies of cpufreq that some CPUs are in, each once, ascending by their first CPU asked
  /// for.
  ///
  /// A CPU that is offline, and every CPU of a host without cpufreq, is in none.
  func frequencies(of cpus: CPUList) throws(HostError) -> [FrequencyFacts] {
    var policies: [FrequencyFacts] = []
    for cpu in cpus {
      guard let name = try kernel.target(of: "\(Self.cpus)/cpu\(cpu)/cpufreq"),
        !policies.contains(where: { $0.name == name })
      else { continue }
      let directory: HostPath = "\(Self.cpus)/cpufreq/\(name)"
      let policy = try kernel.ifPresent { () throws(HostError) in
        try frequencies(named: name, in: directory)
      }
      if let policy { policies.append(policy) }
    }
    return policies
  }

  private func frequencies(
    named name: String, in directory: HostPath
  ) throws(HostError) -> FrequencyFacts {
    let words = { (file: String) throws(HostError) -> [String] in
      try kernel.wordIfPresent(of: "\(directory)/\(file)")?.fields(at: " ").map(String.init)
        ?? []
    }
    // The kernel separates these CPUs by blanks, and joins no neighbours.
    let cpus = CPUList(try words("affected_cpus").compactMap { Quantity.cpu.number($0) })
    var facts = FrequencyFacts(
      name: name, cpus: cpus, governor: try kernel.word(of: "\(directory)/scaling_governor"))
    facts.governors = try words("scaling_available_governors")
    facts.energyPreferences = try words("energy_performance_available_preferences")
    facts.maximum = try words("scaling_max_freq").first.flatMap { Quantity.integer.number($0) }
    facts.table = try words("scaling_available_frequencies")
      .compactMap { Quantity.integer.number($0) }.sorted()
    if !facts.energyPreferences.isEmpty {
      // amd-pstate up to 6.17 answers EINVAL for a value of the firmware that has no name.
      facts.energyPreference = try? kernel.word(of: "\(directory)/energy_performance_preference")
    }
    return facts
  }

  /// The switch for frequencies above the base; nil where the host has none.
  func boost() throws(HostError) -> BoostFacts? {
    let turbo: HostPath = "\(Self.cpus)/intel_pstate/no_turbo"
    let boost: HostPath = "\(Self.cpus)/cpufreq/boost"
    let path = [turbo, boost].first(where: kernel.exists)
    guard let path else { return nil }
    var facts = BoostFacts(path: path.description, isInverted: path == turbo, limitedPolicies: [])
    facts.text = try kernel.wordIfPresent(of: path)
    let standing = try kernel.wordIfPresent(of: boost)
    for name in try kernel.entriesIfPresent(of: "\(Self.cpus)/cpufreq")
    where name.begins(with: "policy") {
      let directory: HostPath = "\(Self.cpus)/cpufreq/\(name)"
      let highest = try kernel.wordIfPresent(of: "\(directory)/cpuinfo_max_freq").flatMap {
        Quantity.integer.number($0)
      }
      let allowed = try kernel.wordIfPresent(of: "\(directory)/scaling_max_freq").flatMap {
        Quantity.integer.number($0)
      }
      if let highest, let allowed, allowed < highest { facts.limitedPolicies.append(name) }
      let own = try kernel.wordIfPresent(of: "\(directory)/boost")
      if let own, let standing, own != standing { facts.deviatingPolicies.append(name) }
    }
    return facts
  }
}
