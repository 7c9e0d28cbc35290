import HostModel

/// Says which mediated devices of a domain are not there: libvirt starts no domain without them
/// (src/util/virmdev.c, `virMediatedDeviceNew()`), and makes none.
///
/// That is no refusal, as another hook may still make them.
struct MediatedDevices: Tuning {
  static let name = "mediated-devices"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    if request.phase == .prepare { needs.mediatedDevices = request.domain.mediatedDevices }
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare else { return plan }
    plan.warnings = host.absentMediatedDevices.map { uuid in
      "\(request.domain.name) wants the mediated device \(uuid), which does not exist: libvirt does not "
        + "start the VM without it; mdevctl start --uuid \(uuid) starts a defined one"
    }
    return plan
  }
}
