internal import HostModel

/// Whether a VM that runs has lost a function since its start, which the host does not have back.
struct DepartedFunctionCheck: DomainCheck {
  static let name = "departed-function"

  func findings(of domain: ExaminedDomain, on host: ExaminedHost) -> [Finding] {
    domain.departures.map { departure in
      Finding(
        .note, "\(departure)",
        evidence: [
          Evidence("/sys/bus/pci/devices/\(departure.function)/driver", departure.driver)
        ],
        consequence: "neither the VM nor the host has it meanwhile",
        fix: departure.remedy)
    }
  }
}
