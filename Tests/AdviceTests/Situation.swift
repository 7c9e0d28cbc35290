import Advice
import HostModel

/// A machine, who is on it, and what somebody wishes of it.
struct Situation: Sendable, CustomStringConvertible {
  var machine: Machine
  var tenants: [Tenant]
  var wish: Wish

  var premises: Premises {
    let setAside: CPUList = machine.name.hasPrefix("isolcpus") ? machine.topology.isolatedCPUs : []
    return Premises(machine.topology, tenants: tenants, setAside: setAside)
  }

  var description: String {
    let holders = tenants.map { "\($0.name) on \($0.vcpus) and \($0.service)" }
    let nodes = wish.functions.map { "\($0.node ?? -1)" }
    return "\(wish.vcpus) vCPUs, \(wish.memoryKiB) KiB, \(wish.goal), functions on \(nodes), on "
      + "\(machine) beside \(holders)"
  }

  /// Nobody, and a neighbour that has half of each second core and an emulator.
  static func tenants(on machine: Machine) -> [[Tenant]] {
    let cores = machine.topology.cores
    let some = cores.enumerated().filter { $0.offset % 3 == 2 }.compactMap(\.element.first)
    let service = cores.dropFirst().first ?? []
    return [
      [],
      [
        Tenant(name: "neighbour", vcpus: CPUList(some), service: service),
        Tenant(name: "floating", floats: true),
      ],
    ]
  }

  /// Many wishes of a machine, for both goals, with and without a device.
  static func all(on machine: Machine, vcpus: [Int], mebibytes: [Int]) -> [Situation] {
    var situations: [Situation] = []
    let nodes = machine.topology.nodes.map(\.id)
    for tenants in tenants(on: machine) {
      for goal in Goal.allCases {
        for count in vcpus {
          for (index, size) in mebibytes.enumerated() {
            var wish = Wish(vcpus: count, memoryKiB: size << 10, goal: goal)
            wish.iothreadIDs = index % 2 == 0 ? [] : [1, 4]
            // By turns none, one on each node, and one that nobody knows the node of.
            let turn = (count + index) % (nodes.count + 2)
            if turn > 0 {
              wish.functions = [Machine.display(on: turn <= nodes.count ? nodes[turn - 1] : nil)]
            }
            situations.append(Situation(machine: machine, tenants: tenants, wish: wish))
          }
        }
      }
    }
    return situations
  }

  static func all(on machine: Machine) -> [Situation] {
    // Of the largest machine, what is more than a node of it, too, and less of the rest.
    let isLarge = machine.topology.cpus.count > 200
    return all(
      on: machine,
      vcpus: isLarge ? [1, 6, 33, 100] : [1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 33, 64],
      mebibytes: isLarge ? [4097, 98304] : [1024, 4097, 16384, 98304])
  }
}

/// A situation with what is advised in it.
struct Advised: Sendable {
  var situation: Situation
  var advice: Advice

  var wish: Wish { situation.wish }
  var candidates: [Candidate] { advice.candidates }

  /// Every situation of every machine, by the machine's name; made once for all tests.
  private static let byMachine: [String: [Advised]] = {
    var all: [String: [Advised]] = [:]
    for machine in Machine.all {
      all[machine.name] = Situation.all(on: machine).map { situation in
        Advised(
          situation: situation, advice: Advice(for: situation.wish, on: situation.premises))
      }
    }
    return all
  }()

  static func all(on machine: Machine) -> [Advised] { byMachine[machine.name] ?? [] }
}
