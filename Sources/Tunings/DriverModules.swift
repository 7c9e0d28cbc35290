internal import HostModel

/// Unloads the modules that policy names before functions change their drivers, and loads them
/// again afterwards.
///
/// Some drivers hold on to a function through another module: NVIDIA's own lets go of a GPU only
/// once `nvidia_drm` and `nvidia_modeset` are gone. A module stays where its drivers have functions
/// that the domain is not handed, and where anybody else uses it.
struct DriverModules: Tuning {
  static let name = "driver-modules"

  func needs(for request: Request) -> FactNeeds {
    var needs = FactNeeds()
    if request.phase == .prepare { needs.modules = request.policy.pci.unloadedModules }
    return needs
  }

  func plan(_ request: Request, on host: HostFacts) -> Plan {
    var plan = Plan(phase: request.phase)
    guard request.phase == .prepare else { return plan }
    for name in request.policy.pci.unloadedModules {
      guard let module = host.modules.first(where: { $0.name == name }) else { continue }
      switch module.state {
      case .absent: continue
      case .builtIn:
        plan.warnings.append("module \(name) is a part of the kernel and cannot be unloaded")
      case .loaded:
        if let other = module.functions.first(where: { !request.handedFunctions.contains($0) }) {
          plan.warnings.append(
            "module \(name) stays loaded: its driver has \(other), too, which "
              + "\(request.domain.name) does not have")
        } else {
          plan.lend(
            .module(name), ModuleState.absent,
            because: "policy wants it out of the way of \(request.domain.name)'s functions")
        }
      }
    }
    return plan
  }
}
