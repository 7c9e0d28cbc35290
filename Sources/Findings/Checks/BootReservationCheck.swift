internal import HostModel

/// Whether huge pages that are reserved at boot are on the nodes of the domains that want them.
///
/// `hugepages=N` is divided evenly among all nodes; `hugepages=0:N,1:M` says where
/// (Documentation/admin-guide/kernel-parameters.txt, since 5.16).
struct BootReservationCheck: HostCheck {
  static let name = "boot-reservation"

  func findings(on host: ExaminedHost) -> [Finding] {
    let nodes = host.topology.nodes.filter { $0.memoryKiB > 0 }
    guard nodes.count > 1 else { return [] }
    return reservations(host.installation).compactMap { reservation in
      finding(reservation, nodes, host)
    }
  }

  private struct Reservation {
    var pageKiB: Int
    var text: String
  }

  /// Those that name no node.
  private func reservations(_ installation: InstallationFacts) -> [Reservation] {
    var size = installation.defaultHugepageKiB
    var found: [Reservation] = []
    for parameter in installation.bootParameters {
      switch parameter.name {
      case "hugepagesz": size = PageSize(parsing: parameter.value)?.kiB
      case "hugepages":
        guard let size, Int(parameter.value).map({ $0 > 0 }) == true else { continue }
        found.append(Reservation(pageKiB: size, text: "hugepages=\(parameter.value)"))
      default: continue
      }
    }
    return found
  }

  private func finding(
    _ reservation: Reservation, _ nodes: [TopologyNode], _ host: ExaminedHost
  ) -> Finding? {
    let size = reservation.pageKiB
    let wanted = nodes.map { node in
      host.domains.reduce(0) { $0 + $1.pages(of: size, on: node.id, default: host.defaultPageKiB) }
    }
    let totals = nodes.map { node in node.pools.first { $0.pageKiB == size }?.total ?? 0 }
    let isShort = zip(wanted, totals).contains { $0 > $1 }
    let isIdle = zip(wanted, totals).contains { $0 == 0 && $1 > 0 }
    guard isShort, isIdle else { return nil }
    let list = zip(nodes, wanted).filter { $0.1 > 0 }.map { "\($0.0.id):\($0.1)" }
    return Finding(
      .warning,
      "pages of \(PageSize(kiB: size)) are reserved on nodes where no VM asks for them",
      evidence: [Evidence("/proc/cmdline", reservation.text)]
        + zip(nodes, totals).map { node, total in
          Evidence(
            "/sys/devices/system/node/node\(node.id)/hugepages/hugepages-\(size)kB/nr_hugepages",
            "\(total)")
        },
      consequence: "the kernel divides them among all nodes: what lies on the wrong one is lost to "
        + "everybody, and the right one has too few",
      fix: "boot with hugepages=\(list.joined(separator: ",")) instead of \(reservation.text), or "
        + "without either: Berth reserves them when they are wanted")
  }
}

extension ExaminedHost {
  /// The page size in KiB that `hugepages` without a size means.
  var defaultPageKiB: Int { installation.defaultHugepageKiB ?? 0 }
}

extension ExaminedDomain {
  /// How many huge pages of a size its configuration takes from one node, by name.
  func pages(of pageKiB: Int, on node: Int, default defaultKiB: Int) -> Int {
    guard pageKiB > 0 else { return 0 }
    let cells = domain.cells.map { ($0.memoryKiB, $0.pageKiB, $0.hostNodes) }
    let modules = domain.memoryDevices.map { ($0.sizeKiB, $0.pageKiB, $0.hostNodes) }
    return (cells + modules).reduce(0) { sum, part in
      let size = part.1 == 0 ? defaultKiB : part.1
      guard size == pageKiB, part.2 == [node] else { return sum }
      return sum + (part.0 + pageKiB - 1) / pageKiB
    }
  }
}
