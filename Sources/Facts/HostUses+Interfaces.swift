internal import Bytes
import HostModel
internal import Port

extension HostUses {
  /// Interfaces of the function that carry a route, an address, or another interface.
  func interfaces() throws(HostError) -> [HostUse] {
    let names = try devices(of: "net")
    if names.isEmpty { return [] }
    let routes = try Route.table(kernel)
    let addressed = try globalIPv6Interfaces()

    func isWayOut(_ interface: String) -> Bool {
      routes.contains { $0.interface == interface && $0.isDefault }
    }
    var uses: [HostUse] = []
    for name in names where try kernel.isUp(interface: name) {
      if isWayOut(name) {
        uses.append(HostUse("carries the default route (\(name))"))
      } else if routes.contains(where: { $0.interface == name }) || addressed.contains(name) {
        uses.append(HostUse("has an address (\(name))", .service))
      }
      for upper in try uppers(of: name) {
        uses.append(
          HostUse("below \(upper), which is up (\(name))", isWayOut(upper) ? .vital : .service))
      }
    }
    return uses
  }

  /// The bridges, bonds, VLANs and other interfaces that stand on one, and are up.
  ///
  /// Open vSwitch holds its ports through `ovs-system`, which itself is never up.
  private func uppers(of interface: String) throws(HostError) -> [String] {
    let directory: HostPath = "/sys/class/net/\(interface)"
    var uppers: [String] = []
    for entry in try kernel.entriesIfPresent(of: directory) {
      if let upper = entry.rest(after: "upper_") { uppers.append(String(upper)) }
    }
    if let master = try kernel.target(of: "\(directory)/master"), !uppers.contains(master) {
      uppers.append(master)
    }
    var found: [String] = []
    for upper in uppers {
      let isUsed = try kernel.isUp(interface: upper)
      if isUsed || upper == "ovs-system" { found.append(upper) }
    }
    return found
  }

  /// The interfaces with an IPv6 address beyond the link.
  ///
  /// Scope `20` is the link-local address, which every interface gets by being up.
  private func globalIPv6Interfaces() throws(HostError) -> [String] {
    let text = try kernel.wordIfPresent(of: "/proc/net/if_inet6") ?? ""
    return text.fields(at: "\n").compactMap { line in
      let fields = line.fields(at: " ")
      return fields.count == 6 && fields[3] != "20" ? String(fields[5]) : nil
    }
  }
}

/// A route through an interface, as `/proc/net/route` and `/proc/net/ipv6_route` show it.
private struct Route {
  var interface: String
  var isDefault: Bool

  /// The routes of IPv4, and the default routes of IPv6.
  ///
  /// An IPv4 address brings a route to its network with it, so that an interface with a route is
  /// one with an address. IPv6 has routes on each interface for multicast and link-local.
  static func table(_ kernel: any KernelReader) throws(HostError) -> [Route] {
    let four = try kernel.wordIfPresent(of: "/proc/net/route") ?? ""
    let six = try kernel.wordIfPresent(of: "/proc/net/ipv6_route") ?? ""
    return four.fields(at: "\n").dropFirst().compactMap(route4)
      + six.fields(at: "\n").compactMap(route6)
  }

  /// RTF_REJECT of <linux/route.h>: a route that leads nowhere.
  private static let reject = 0x200

  private static func route4(_ line: Substring) -> Route? {
    let fields = line.fields(atAnyOf: "\t", " ")
    guard fields.count >= 8, let flags = Int(fields[3], radix: 16), flags & reject == 0
    else { return nil }
    let isDefault = fields[1] == "00000000" && fields[7] == "00000000"
    return Route(interface: String(fields[0]), isDefault: isDefault)
  }

  private static func route6(_ line: Substring) -> Route? {
    let fields = line.fields(at: " ")
    guard fields.count == 10, fields[1] == "00", let flags = Int(fields[8], radix: 16),
      flags & reject == 0, fields[0].utf8.allSatisfy({ $0 == UInt8(ascii: "0") })
    else { return nil }
    return Route(interface: String(fields[9]), isDefault: true)
  }
}
