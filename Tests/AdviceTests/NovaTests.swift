import Advice
import HostModel
import Testing

/// The advice beside what OpenStack's scheduler would accept.
struct NovaTests {
  /// Machines whose memory is known, and whose nodes have some.
  static let machines = Machine.all.filter {
    $0.name != Machine.unknownMemory.name && $0.name != Machine.setAside.name
  }

  @Test(arguments: machines)
  func novaAcceptsWhatIsAdvised(machine: Machine) {
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      for candidate in advised.candidates {
        for cell in candidate.cells where cell.node == cell.memoryNode {
          guard let node = machine.topology.nodes.first(where: { $0.id == cell.node }) else {
            Issue.record("there is no node \(cell.node)")
            continue
          }
          let free = cell.vcpus.map { candidate.vcpus[$0] }
          var host = NovaFit.HostCell(node, of: situation, wholeCores: false, kind: nil)
          // On the very CPUs that were chosen, and on none beside.
          host.siblings = host.siblings.map { $0.intersection(CPUList(free)) }
            .filter { !$0.isEmpty }
          // Berth reserves the pages before the start; nova counts those that are reserved.
          if let pageKiB = candidate.pageKiB { host.pages.append((pageKiB, node.freeKiB)) }
          var fit = NovaFit(
            vcpus: cell.vcpus.count, memoryKiB: cell.memoryKiB, pageKiB: candidate.pageKiB)
          #expect(fit.isAccepted(on: host), "\(situation): \(candidate.vcpus)")
          guard candidate.shape.threads > 1 else { continue }
          fit.policy = .require
          #expect(fit.isAccepted(on: host), "\(situation): \(candidate.vcpus)")
        }
      }
    }
  }

  /// Berth is stricter in three things: a core belongs to one VM, all cores of a VM are of one kind,
  /// and a node keeps one part in 32 of its memory, 1 GiB at most, for the host.
  @Test(arguments: machines)
  func advisesWhereverNovaAcceptsOneNode(machine: Machine) {
    var accepted = 0
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      let wish = situation.wish
      let kinds = Set(machine.topology.cpus.filter(\.isOnline).map(\.kind))
      let fits = machine.topology.nodes.contains { node in
        kinds.contains { kind in
          var host = NovaFit.HostCell(node, of: situation, wholeCores: true, kind: kind)
          host.pages[0].freeKiB -= min(1 << 20, node.memoryKiB / 32)
          return NovaFit(vcpus: wish.vcpus, memoryKiB: wish.memoryKiB).isAccepted(on: host)
        }
      }
      guard fits else { continue }
      accepted += 1
      let best = advised.candidates.first
      #expect(best?.cells.count == 1, "\(situation)")
    }
    // On the smallest one there is room for few.
    #expect(accepted > (machine.topology.cores.count > 4 ? 20 : 5))
  }

  /// Where nova accepts and there is no advice, it is for one of those three reasons.
  @Test(arguments: machines)
  func isStricterForAReason(machine: Machine) {
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      let wish = situation.wish
      guard advised.candidates.isEmpty else { continue }
      let fit = NovaFit(vcpus: wish.vcpus, memoryKiB: wish.memoryKiB)
      for node in machine.topology.nodes {
        let host = NovaFit.HostCell(node, of: situation, wholeCores: false, kind: nil)
        guard fit.isAccepted(on: host) else { continue }
        let dividesCore = !situation.tenants.allSatisfy(\.vcpus.isEmpty)
        let mixesKinds =
          Set(
            node.cpus.map { cpu in
              machine.topology.cpus.first { $0.id == cpu }?.kind
            }
          ).count > 1
        let leavesNoMemory = wish.memoryKiB > node.freeKiB - min(1 << 20, node.memoryKiB / 32)
        #expect(dividesCore || mixesKinds || leavesNoMemory, "\(situation)")
      }
    }
  }

  @Test func readsThePoliciesAsNovaDoes() {
    let cell = NovaFit.HostCell(id: 0, siblings: [[0, 4], [1, 5], [2]], pages: [(4, 1 << 20)])
    func accepts(_ vcpus: Int, _ policy: NovaFit.ThreadPolicy) -> Bool {
      NovaFit(vcpus: vcpus, memoryKiB: 1 << 20, policy: policy).isAccepted(on: cell)
    }
    #expect(accepts(5, .prefer) && !accepts(6, .prefer))
    #expect(accepts(4, .require) && accepts(3, .require) && !accepts(5, .require))
    #expect(!NovaFit(vcpus: 1, memoryKiB: 2 << 20).isAccepted(on: cell))
    #expect(!NovaFit(vcpus: 1, memoryKiB: 1 << 20, pageKiB: 2048).isAccepted(on: cell))
  }
}
