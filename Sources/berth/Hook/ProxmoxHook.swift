internal import Facts
internal import Formats
internal import Glibc
internal import HostModel
internal import Live
internal import Tunings

/// Answers Proxmox: `VMID PHASE`, with the domain's configuration in `/etc/pve`.
///
/// The same script may be a container's, and a template starts for its backup only, without devices and huge
/// pages. Both are left alone.
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
    var warnings: [String] = []
    guard let domain = try domain(on: host, &warnings) else { return nil }
    let policy = try Hook.policy(for: domain, in: phase, on: host)
    return (
      Request(domain: domain, phase: phase, policy: policy.value), warnings + policy.warnings
    )
  }

  /// The domain as it is configured; nil for one that is left alone.
  ///
  /// What a domain took has to go back, even if its configuration is gone by now, or cannot be read.
  private func domain(on host: Host, _ warnings: inout [String]) throws -> Domain? {
    let bare = Domain(hypervisor: .proxmox, name: vmid, id: vmid, vcpus: 0)
    do {
      guard var domain = try configured(on: host, &warnings) else {
        return phase == .release ? bare : nil
      }
      if phase != .release, domain.proxmox?.isTemplate == true { return nil }
      warnings += try ProxmoxHost(kernel: host.kernel)
        .settle(&domain, foreseeing: phase == .prepare)
      return domain
    } catch {
      guard phase == .release else { throw error }
      warnings.append("\(error)")
      return bare
    }
  }

  private func configured(on host: Host, _ warnings: inout [String]) throws -> Domain? {
    let source = getenv("PVE_MIGRATED_FROM").map { String(cString: $0) }
    let conf = try ProxmoxHost(kernel: host.kernel).configuration(
      of: vmid, migratedFrom: source, seeing: Containment.remember)
    warnings += conf?.warnings.map { "\($0)" } ?? []
    return conf?.domain
  }
}
