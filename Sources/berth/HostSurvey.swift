internal import Advice
internal import Facts
internal import Formats
internal import HostModel
internal import Ledger
internal import State

/// What a domain that comes in finds on a host: the hardware, and who is there.
struct HostSurvey {
  let premises: Premises
  /// The domain that is asked for, where it runs.
  let running: TopologyGuest?

  /// A look at the host as if `domain` were not in: its CPUs and its memory count as free.
  ///
  /// The cores of `hostCPUs` stay with the host; empty for that of its first CPU.
  init(of host: Host, without domain: Domain?, hostCPUs: CPUList = []) throws {
    let reader = TopologyReader(kernel: host.kernel)
    var topology = try reader.topology()
    let guests = try GuestReader(kernel: host.kernel).running(asking: host.monitor)
      .map(TopologyGuest.init)
    let holders = try host.store.load().holders
    let isOwn = { (guest: TopologyGuest) in
      domain.map { guest.isFor($0.hypervisor, id: $0.id, name: $0.name) } ?? false
    }
    running = guests.first(where: isOwn)
    topology.guests = guests.filter { !isOwn($0) }
    let ownHolder = domain.flatMap { own in holders.first { $0.id == own.holder } }
    let own = (running?.pinnedCPUs ?? []).union(ownHolder?.vcpuCPUs ?? [])
    let others = holders.filter { $0.id != ownHolder?.id }
    let kept = try host.policyFile().limits.forbidden(among: topology.onlineCPUs)
    // What no VM may claim is as good as somebody's.
    let limits = kept.isEmpty ? [] : [Tenant(name: "the host, by [limits]", vcpus: kept)]
    premises = Premises(
      topology, tenants: Tenant.all(on: topology, holding: others, own: own) + limits,
      own: own.subtracting(kept),
      setAside: try reader.cpusSetAside(), hostCPUs: hostCPUs,
      ownMemory: running == nil ? [] : domain?.memory(on: topology) ?? [])
  }

  /// The functions that the caller named, or else those of the domain, as far as the host has them.
  func functions(named addresses: [String], of domain: Domain?) throws -> [TopologyFunction] {
    let present = premises.topology.functions
    if addresses.isEmpty {
      let own = domain?.functions.map(\.address) ?? []
      for address in own where !present.contains(where: { $0.address == address }) {
        Terminal.complain("the VM has \(address) passed through, which this host does not have")
      }
      return present.filter { own.contains($0.address) }
    }
    return try addresses.map { text in
      guard let address = PCIAddress(text) else {
        throw Complaint("“\(text)” is no PCI address such as 0000:0b:00.0")
      }
      if let function = present.first(where: { $0.address == address }) { return function }
      let nearest = present.min { left, right in
        abs(left.address.place - address.place) < abs(right.address.place - address.place)
      }
      throw Complaint(
        "this host has no PCI function \(address)"
          + (nearest.map { "; the nearest one is \($0.address)" } ?? ""))
    }
  }

  /// The CPU of each vCPU of a domain as it runs, or else as it is configured; nil where one is not
  /// pinned to a single CPU.
  func presentPins(of domain: Domain?) -> [Int]? {
    guard let domain, domain.vcpus > 0 else { return nil }
    let pins = running?.vcpus ?? domain.vcpuPins
    var cpus: [Int] = []
    for vcpu in domain.onlineVCPUs {
      guard let list = pins[vcpu], list.count == 1, let cpu = list.first else { return nil }
      cpus.append(cpu)
    }
    return cpus
  }
}

extension Tenant {
  /// The domains that run, and those that hold CPUs by the ledger.
  ///
  /// A vCPU that may run on every CPU that is nobody's is not pinned: isolation of others takes CPUs
  /// from it as from any task of the host.
  static func all(
    on topology: Topology, holding holders: [Holder], own: CPUList
  ) -> [Tenant] {
    let held =
      topology.guests.map(\.pinnedCPUs) + holders.map(\.vcpuCPUs) + [topology.isolatedCPUs, own]
    let common = held.reduce(topology.onlineCPUs) { $0.subtracting($1) }
    let guests = topology.guests
    var tenants = guests.map { guest in
      var tenant = Tenant(name: guest.name)
      for cpus in guest.vcpus.values {
        if !common.isEmpty, common.isSubset(of: cpus) {
          tenant.floats = true
        } else {
          tenant.vcpus = tenant.vcpus.union(cpus)
        }
      }
      for cpus in Array(guest.iothreads.values) + [guest.emulator ?? []]
      where !common.isSubset(of: cpus) {
        tenant.service = tenant.service.union(cpus)
      }
      return tenant
    }
    for holder in holders {
      if let index = guests.firstIndex(where: {
        $0.isFor(holder.id.hypervisor, id: holder.id.id, name: holder.name)
      }) {
        tenants[index].vcpus = tenants[index].vcpus.union(holder.vcpuCPUs)
      } else {
        tenants.append(Tenant(name: holder.name, vcpus: holder.vcpuCPUs))
      }
    }
    return tenants
  }
}

extension TopologyGuest {
  /// The CPUs that one vCPU each is pinned to.
  ///
  /// What several CPUs have may be a pin, or what the isolation of others has left.
  var pinnedCPUs: CPUList {
    vcpus.values.filter { $0.count == 1 }.reduce(CPUList()) { $0.union($1) }
  }
}

extension Domain {
  /// The memory that the domain has while it runs, as far as its configuration says from where.
  fileprivate func memory(on topology: Topology) -> [OwnMemory] {
    cells.compactMap { cell in
      let only = topology.nodes.count == 1 ? topology.nodes.first?.id : nil
      let bound = cell.hostNodes.flatMap { $0.count == 1 ? $0.first : nil }
      guard let node = bound ?? only else { return nil }
      // The default size of huge pages is 2 MiB wherever a configuration leaves it open in practice.
      let pageKiB = cell.pageKiB.map { $0 == 0 ? 2048 : $0 }
      return OwnMemory(node: node, pageKiB: pageKiB, memoryKiB: cell.memoryKiB)
    }
  }
}

extension PCIAddress {
  /// All numbers as one, in the order of the addresses.
  fileprivate var place: Int { ((domain << 8 | bus) << 5 | slot) << 3 | function }
}
