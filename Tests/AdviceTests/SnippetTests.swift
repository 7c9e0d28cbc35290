import Advice
import Formats
import HostModel
import Testing

/// Snippets are what Berth itself reads: each says what the candidate is.
struct SnippetTests {
  private func context(_ situation: Situation, section: String = "100") -> SnippetContext {
    SnippetContext(
      premises: situation.premises, section: section,
      hasFunctions: !situation.wish.functions.isEmpty)
  }

  @Test(arguments: Machine.all)
  func libvirtElementsAreReadBack(machine: Machine) throws {
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      for candidate in advised.candidates {
        let snippet = candidate.snippet(for: .libvirt, context(situation))
        let xml =
          "<domain type='kvm'><name>x</name>" + snippet.configuration.joined(separator: "\n")
          + "</domain>"
        let domain = try DomainXML.domain(from: Array(xml.utf8))
        #expect(domain.vcpus == candidate.vcpus.count)
        #expect((0..<domain.vcpus).map { domain.vcpuPins[$0] } == candidate.vcpus.map { [$0] })
        #expect(domain.emulatorPin == candidate.emulator)
        #expect(domain.iothreadIDs == candidate.iothreads.map(\.id))
        #expect(
          domain.iothreadIDs.map { domain.iothreadPins[$0] } == candidate.iothreads.map(\.cpus))
        #expect(domain.cells.map(\.memoryKiB) == candidate.cells.map(\.memoryKiB))
        #expect(domain.cells.allSatisfy { $0.pageKiB == candidate.pageKiB })
        if machine.topology.nodes.count > 1 {
          #expect(domain.cells.map(\.hostNodes) == candidate.cells.map { [$0.memoryNode] })
          #expect(domain.cells.allSatisfy { $0.mode == .strict })
        }
      }
    }
  }

  @Test(arguments: Machine.all)
  func proxmoxLinesAreReadBack(machine: Machine) throws {
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      for candidate in advised.candidates {
        let snippet = candidate.snippet(for: .proxmox, context(situation))
        let text = snippet.configuration.joined(separator: "\n")
        let conf = try ProxmoxConf(Array(text.utf8), named: "100.conf", vmid: "100")
        #expect(conf.warnings.isEmpty, "\(situation): \(conf.warnings)")
        #expect(conf.domain.vcpus == candidate.vcpus.count)
        #expect(conf.domain.proxmox?.affinity == CPUList(candidate.vcpus).union(candidate.emulator))
        let threads = candidate.shape.threads
        #expect(conf.domain.proxmox?.guestThreads ?? 1 == threads, "\(situation)")
        let memoryKiB = conf.domain.cells.reduce(0) { $0 + $1.memoryKiB }
        let wanted = candidate.cells.reduce(0) { $0 + ($1.memoryKiB + 1023) / 1024 * 1024 }
        #expect(memoryKiB == wanted, "\(situation)")
        guard text.contains("numa: 1"), candidate.cells.allSatisfy({ $0.memoryNode < 10 }) else {
          continue
        }
        #expect(conf.domain.cells.map(\.hostNodes) == candidate.cells.map { [$0.memoryNode] })
        if [2048, 1 << 20].contains(candidate.pageKiB) {
          #expect(conf.domain.cells.allSatisfy { $0.pageKiB == candidate.pageKiB })
        }
      }
    }
  }

  @Test(arguments: Machine.all)
  func policyIsReadBack(machine: Machine) throws {
    for advised in Advised.all(on: machine) {
      let situation = advised.situation
      for candidate in advised.candidates {
        for hypervisor in [Hypervisor.libvirt, .proxmox] {
          let name = hypervisor == .proxmox ? "100" : "deck"
          let snippet = candidate.snippet(for: hypervisor, context(situation, section: name))
          let file = PolicyFile(snippet.policy.joined(separator: "\n"), named: "berth.toml")
          #expect(file.problems.isEmpty, "\(file.problems)")
          let domain = Domain(
            hypervisor: hypervisor, name: "deck", id: "100", vcpus: candidate.vcpus.count)
          let policy = try file.policy(for: domain).value
          #expect(policy.cpu.governor == "performance")
          guard hypervisor == .proxmox else { continue }
          let pins = policy.pins
          #expect((0..<domain.vcpus).map { pins.vcpus[$0] } == candidate.vcpus.map { [$0] })
          #expect(pins.emulator == candidate.emulator)
          #expect(candidate.iothreads.allSatisfy { pins.iothreads[$0.id] == $0.cpus })
        }
      }
    }
  }

  @Test func aNameIsNoPartOfTheSyntax() throws {
    let name = "a\"]\n\\ [vm.b]"
    let premises = Premises(Machine.desktop.topology, tenants: [])
    let wish = Wish(vcpus: 2, memoryKiB: 1 << 20, goal: .latency)
    let candidate = try #require(Advice(for: wish, on: premises).candidates.first)
    let snippet = candidate.snippet(
      for: .libvirt, SnippetContext(premises: premises, section: name, hasFunctions: false))
    let file = PolicyFile(snippet.policy.joined(separator: "\n"), named: "berth.toml")
    #expect(file.problems.isEmpty)
    #expect(file.names(Domain(hypervisor: .libvirt, name: name, id: nil, vcpus: 2)))
  }

  @Test func saysWhatOnlyAMDNeeds() throws {
    var bridge = Machine.display(on: nil)
    bridge.vendor = "0x1022"
    bridge.classCode = "0x060000"
    let amd = Machine.stackedCache.changed("AMD") { $0.functions = [bridge] }
    for (machine, isAMD) in [(amd, true), (Machine.stackedCache, false)] {
      let premises = Premises(machine.topology, tenants: [])
      let wish = Wish(vcpus: 4, memoryKiB: 4 << 20, goal: .latency)
      let candidate = try #require(Advice(for: wish, on: premises).candidates.first)
      let context = SnippetContext(premises: premises, section: "x", hasFunctions: false)
      let xml = candidate.snippet(for: .libvirt, context).configuration.joined()
      #expect(xml.contains("name='topoext'") == isAMD)
      let remarks = candidate.snippet(for: .proxmox, context).remarks
      #expect(remarks.contains { $0.contains("topoext") } == isAMD)
    }
  }

  @Test func keepsTheArgumentsThatAreThere() throws {
    let premises = Premises(Machine.intelServer.topology, tenants: [])
    let wish = Wish(vcpus: 4, memoryKiB: 4 << 20, goal: .latency)
    let candidate = try #require(Advice(for: wish, on: premises).candidates.first)
    let context = SnippetContext(
      premises: premises, section: "100", hasFunctions: false, arguments: "-cpu host,+x -smp 9")
    let lines = candidate.snippet(for: .proxmox, context).configuration
    #expect(
      lines.last
        == "args: -cpu host,+x -smp 4,sockets=1,cores=2,threads=2,maxcpus=4")
  }
}
