internal import Bytes
internal import HostModel

/// Whether libvirt runs Berth as its hook: once, and without being kept from it.
struct HookCheck: HostCheck {
  static let name = "hook"
  private static let folder = "/etc/libvirt/hooks"

  func findings(on host: ExaminedHost) -> [Finding] {
    let installation = host.installation
    guard installation.hasLibvirt else { return [] }
    let own = installation.hooks.filter(\.isBerth)
    let tuned = host.domains.filter { $0.isTuned && $0.domain.hypervisor == .libvirt }
    var findings = own.isEmpty ? [missing(installation, tuned)] : []
    findings += own.compactMap(refused)
    if own.count > 1 { findings.append(repeated(own)) }
    if installation.confinesByAppArmor { findings += installation.hooks.compactMap(confined) }
    if installation.enforcesSELinux, !own.isEmpty { findings.append(labelled(own[0])) }
    return findings
  }

  private func missing(_ installation: InstallationFacts, _ tuned: [ExaminedDomain]) -> Finding {
    let main = installation.hooks.first { $0.path == "\(Self.folder)/qemu" }
    let link = main == nil ? "\(Self.folder)/qemu" : "\(Self.folder)/qemu.d/berth"
    let names = tuned.map(\.domain.name).joined(separator: ", ")
    return Finding(
      tuned.isEmpty ? .note : .warning, "libvirt does not run Berth",
      evidence: [
        Evidence(main?.path ?? Self.folder, main.map { "leads to \($0.target)" } ?? "no hook")
      ],
      consequence: tuned.isEmpty
        ? "Berth prepares the host for no VM" : "nothing is made ready for \(names)",
      fix: "mkdir -p \(link.fields(at: "/").dropLast().map { "/\($0)" }.joined()) && "
        + "ln -s /usr/sbin/berth \(link) && systemctl reload \(installation.libvirtDaemon)")
  }

  private func refused(_ hook: HookFile) -> Finding? {
    guard let objection = hook.objection else { return nil }
    return Finding(
      .error, "\(hook.path) is not run: it \(objection)",
      evidence: [Evidence(hook.path, "leads to \(hook.target)")],
      consequence: "libvirt passes over a hook that it cannot run, and says nothing",
      fix: "chown root: \(hook.target) && chmod 0755 \(hook.target)")
  }

  private func repeated(_ hooks: [HookFile]) -> Finding {
    Finding(
      .warning, "libvirt runs Berth \(hooks.count) times for each step",
      evidence: hooks.map { Evidence($0.path, "leads to \($0.target)") },
      consequence: "nothing is done twice, but each step takes longer",
      fix: "rm \(hooks.dropFirst().map(\.path).joined(separator: " "))")
  }

  /// libvirt's profile lets the daemon start programs of these folders, and run what lies among the
  /// hooks itself; of a link, where it leads counts (src/security/apparmor/usr.sbin.libvirtd.in).
  private func confined(_ hook: HookFile) -> Finding? {
    let allowed = ["/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/usr/lib/libvirt/"]
    guard hook.objection == nil, !hook.target.begins(with: "\(Self.folder)/"),
      !allowed.contains(where: { hook.target.begins(with: $0) })
    else { return nil }
    return Finding(
      .error, "AppArmor keeps libvirt from running \(hook.target)",
      evidence: [
        Evidence(hook.path, "leads to \(hook.target)"),
        Evidence("/sys/kernel/security/apparmor/profiles", "libvirt's daemon is confined"),
      ],
      consequence: "every VM start fails with “Permission denied”",
      fix: "install -m 0755 \(hook.target) /usr/sbin/ && "
        + "ln -sf /usr/sbin/\(hook.target.fields(at: "/").last ?? "") \(hook.path)")
  }

  private func labelled(_ hook: HookFile) -> Finding {
    Finding(
      .warning, "SELinux may keep libvirt from running Berth",
      evidence: [Evidence("/sys/fs/selinux/enforce", "1"), Evidence(hook.path, hook.target)],
      consequence: "its policy lets virtqemud run no hook, and a start then fails",
      fix: "restorecon -RF /etc/libvirt/hooks; where ausearch -m avc -c rpc-virtqemud still tells "
        + "of a denial: ausearch -m avc -ts today --raw | audit2allow -M berth && semodule -i berth.pp"
    )
  }
}
