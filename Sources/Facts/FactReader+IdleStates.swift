internal import Bytes
import HostModel
internal import Port

extension FactReader {
  /// How deep each of some CPUs may sleep, in their order.
  func idleStates(of cpus: CPUList) throws(HostError) -> [IdleFacts] {
    var found: [IdleFacts] = []
    for cpu in cpus {
      let directory: HostPath = "\(Self.cpus)/cpu\(cpu)"
      let limit = try kernel.wordIfPresent(of: "\(directory)/power/pm_qos_resume_latency_us")
      var facts = IdleFacts(cpu: cpu, latencyLimit: limit)
      if limit == nil { facts.states = try states(in: "\(directory)/cpuidle") }
      found.append(facts)
    }
    return found
  }

  private func states(in directory: HostPath) throws(HostError) -> [IdleState] {
    // The first state polls, or waits without sleeping: a CPU has to have one.
    let numbers = try kernel.entriesIfPresent(of: directory)
      .compactMap { Quantity.integer.number(in: $0, after: "state") }.sorted().filter { $0 > 0 }
    var states: [IdleState] = []
    for number in numbers {
      let state: HostPath = "\(directory)/state\(number)"
      guard
        let latency = try kernel.wordIfPresent(of: "\(state)/latency")
          .flatMap({ Quantity.integer.number($0) })
      else { continue }
      let name = try kernel.wordIfPresent(of: "\(state)/name") ?? "state\(number)"
      states.append(IdleState(index: number, name: name, latency: latency))
    }
    return states
  }
}
