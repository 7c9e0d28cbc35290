internal import Facts
internal import Formats
internal import Glibc
internal import HostModel
internal import Live
internal import Tunings

/// Answers Proxmox: `VMID PHASE`, with the domain's configuration in `/etc/pve`.
///
/// The same script may be a container's; and of a backup of a domain that is off, Proxmox makes a
/// start that nobody plays on. Both are left alone.
struct ProxmoxHook {
  let vmid: String
  let phase: Phase

  /// Why the domain may not start; empty where it may.
  func run() -> [String] {
    let host = Host.live(for: vmid)
    do {
      guard let request = try request(on: host) else { return [] }
      return Hook.play(
        request.value, by: HolderID(hypervisor: .proxmox, id: vmid), warnings: request.warnings,
        on: host)
    } catch {
      host.journal.note(.error, "\(error)", domain: vmid, phase: phase.name(under: .proxmox))
      return Hook.refusals(for: error)
    }
  }

  private func request(on host: Host) throws -> (value: Request, warnings: [String])? {
    let source = getenv("PVE_MIGRATED_FROM").map { String(cString: $0) }
    let proxmox = ProxmoxHost(kernel: host.kernel)
    var domain = Domain(hypervisor: .proxmox, name: vmid, id: vmid, vcpus: 0)
    var warnings: [String] = []
    if let conf = try proxmox.configuration(of: vmid, migratedFrom: source) {
      domain = conf.domain
      warnings = conf.warnings.map { "\($0)" }
    } else if phase != .release {
      // What a domain took has to go back, even if its configuration is gone by now.
      return nil
    }
    if phase != .release, domain.proxmox?.runsForBackup == true { return nil }
    warnings += try proxmox.settle(&domain)
    let policy = try Hook.policy(for: domain, in: phase, on: host)
    return (
      Request(domain: domain, phase: phase, policy: policy.value), warnings + policy.warnings
    )
  }
}
