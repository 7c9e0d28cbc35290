internal import Bytes
import HostModel

/// The frequency of CPUs: what lies below `cpufreq/`.
///
/// - `scaling_governor` takes what `scaling_available_governors` offers, anything else is `EINVAL`.
///   `performance` sets the energy preference to `performance`, and it stays there when the governor
///   changes back (drivers/cpufreq/amd-pstate.c).
/// - `energy_performance_preference` is `EBUSY` for anything but `performance` under that governor,
///   and `EINVAL` for what is not offered. `default` reads back as what it stands for.
/// - `scaling_min_freq` is kept within the limits without a word, and becomes the next frequency of the
///   driver's table (drivers/cpufreq/cpufreq.c, `cpufreq_set_policy()`).
/// - `boost` takes `0` and `1`.
/// - While all CPUs of a policy are offline, its files are neither read nor written: `EBUSY`
///   (drivers/cpufreq/cpufreq.c, `show()`, `store()`). What was set is there again with the CPUs
///   (`cpufreq_offline()`, `cpufreq_init_policy()`).
struct FrequencyManners: KernelManners {
  static let root: HostPath = "/sys/devices/system/cpu/cpufreq"

  func apply(to path: HostPath) -> Bool { path.begins(with: Self.root) }

  /// - Throws: `EBUSY` for a file of a policy without a CPU that is online.
  static func check(_ path: HostPath, in tree: RecordedTree) throws(HostError) {
    if path.parent == root { return }
    var text = try tree.textIfPresent(of: path.parent.appending("related_cpus"))
    // Records have this one alone.
    if text == nil { text = try tree.textIfPresent(of: path.parent.appending("affected_cpus")) }
    guard let text else { return }
    let cpus = CPUList(text.fields(atAnyOf: " ", "\n").compactMap { Quantity.cpu.number($0) })
    let online = try tree.list(of: "/sys/devices/system/cpu/online")
    if !cpus.isEmpty, cpus.isDisjoint(with: online) {
      throw HostError(.read, path, errno: ErrorNumber.busy.number)
    }
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    try Self.check(path, in: tree)
    let file = path.name
    let directory = path.parent
    let word = text.trimmed
    switch file {
    case "scaling_governor":
      guard try offers("scaling_available_governors", word, in: directory, tree) else {
        throw refusal(of: text, at: path, .invalid)
      }
      let preference: HostPath = "\(directory)/energy_performance_preference"
      if word == "performance", tree.exists(preference) {
        try tree.replace("performance\n", at: preference)
      }
      try tree.replace("\(word)\n", at: path)
    case "energy_performance_preference":
      guard try offers("energy_performance_available_preferences", word, in: directory, tree)
      else { throw refusal(of: text, at: path, .invalid) }
      let governor = try tree.text(of: "\(directory)/scaling_governor").trimmed
      if governor == "performance", word != "performance" {
        throw refusal(of: text, at: path, .busy)
      }
      try tree.replace(word == "default" ? "balance_performance\n" : "\(word)\n", at: path)
    case "scaling_min_freq":
      guard let wanted = Int(word), wanted >= 0,
        let highest = Int(try tree.text(of: "\(directory)/scaling_max_freq").trimmed)
      else { throw refusal(of: text, at: path, .invalid) }
      let table = try tree.textIfPresent(of: "\(directory)/scaling_available_frequencies") ?? ""
      let next = table.fields(atAnyOf: " ", "\n").compactMap { Int($0) }.sorted()
        .first { $0 >= wanted }
      try tree.replace("\(min(next ?? wanted, highest))\n", at: path)
    default:
      guard file != "boost" || word == "0" || word == "1" else {
        throw refusal(of: text, at: path, .invalid)
      }
      try tree.replace("\(word)\n", at: path)
    }
  }

  private func offers(
    _ list: String, _ word: String, in directory: HostPath, _ tree: RecordedTree
  ) throws(HostError) -> Bool {
    try tree.text(of: "\(directory)/\(list)").trimmed.fields(at: " ").contains { $0 == word }
  }
}
