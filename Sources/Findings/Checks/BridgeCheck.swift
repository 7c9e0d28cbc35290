internal import HostModel

/// Whether a VM's hypervisor would take a bridge from the host; where Berth would bind it, the plan
/// refuses it.
struct BridgeCheck: DomainCheck {
  static let name = "bridge"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    let own = domain.domain.functions.filter(\.isManaged).map(\.address)
    return domain.passedFunctions.filter { $0.isBridge && own.contains($0.address) }.map {
      function in
      Finding(
        .error,
        "\(domain.domain.name) has \(function.address) passed through, a bridge of the host",
        evidence: [
          Evidence(domain.file, "\(function.address)"),
          Evidence(
            "/sys/bus/pci/devices/\(function.address)/class",
            "0x" + String(function.classCode, radix: 16)),
        ],
        consequence: "whoever binds it takes all that is behind it from the host",
        fix: "take it out of the VM's configuration; a bridge goes along with its devices by itself"
      )
    }
  }
}
