internal import Bytes
internal import HostModel

/// One call by a hypervisor, told apart from an administrator's by its arguments alone.
///
/// libvirt calls with four (`NAME OPERATION SUB-OPERATION EXTRA`, docs/hooks.rst), Proxmox with two
/// (`VMID PHASE`, PVE::GuestHelpers). Neither is ever parsed as options: a domain may be called
/// `--help`.
enum HookCall: Equatable {
  case libvirt(name: String, operation: String)
  case proxmox(vmid: String, phase: String)
  /// By the name of a hook, with arguments of no known contract.
  case unknown

  init?(arguments: [String]) {
    let parameters = Array(arguments.dropFirst())
    if parameters.count == 4, ["-", "begin", "end"].contains(parameters[2]) {
      self = .libvirt(name: parameters[0], operation: parameters[1])
    } else if parameters.count == 2, parameters[0].utf8.allSatisfy(\.isDigit),
      !parameters[0].isEmpty
    {
      self = .proxmox(vmid: parameters[0], phase: parameters[1])
    } else if let path = arguments.first, path.contains("/hooks/") {
      self = .unknown
    } else {
      return nil
    }
  }
}
