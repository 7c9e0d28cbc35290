internal import Bytes
internal import Facts
internal import Formats
internal import HostModel

/// The VMs of a host, and whether Berth's hook is called for them.
struct ListReport: Encodable {
  var vms: [VM]

  enum Hook: String, Encodable {
    case berth
    /// Another hookscript of Proxmox's, which may call Berth.
    case another
    case none
    /// The configuration cannot be read.
    case unknown
  }

  struct VM: Encodable {
    var hypervisor: String
    var name: String
    /// libvirt's UUID, or Proxmox's number.
    @Nullable var id: String?
    var file: String
    var hook: Hook
    /// Proxmox's volume.
    @Nullable var hookscript: String?
    /// Why the hook is not called, or not known.
    @Nullable var reason: String?
    /// The sections of the policy file that are for the VM, the weaker before the stronger.
    var sections: [String] = []
    @Nullable var profile: String?
    /// Whether policy lets Berth do anything for it; nil for a policy that cannot be read.
    @Nullable var isEnabled: Bool?
  }

  /// The VMs of a host, with what a policy says of them; nil for one that cannot be read.
  init(of host: Host, _ policy: PolicyFile?) throws {
    let objection = try Self.objectionToHook(on: host)
    let machines = try ProxmoxMachines(of: host).all()
    vms = try DomainConfiguration.all(on: host).filter { $0.hypervisor == .libvirt }.map {
      VM($0, objection, policy)
    }
    vms += machines.map { VM($0, policy, on: host) }
  }

  /// Why libvirt does not call Berth's hook; nil where it does.
  private static func objectionToHook(on host: Host) throws -> String? {
    let hooks = try InstallationReader(kernel: host.kernel).hooks().filter(\.isBerth)
    guard let first = hooks.first else { return "libvirt's hook is not installed: berth doctor" }
    if hooks.contains(where: { $0.objection == nil }) { return nil }
    return "\(first.path) \(first.objection ?? "")"
  }
}

extension ListReport.VM {
  fileprivate init(
    _ configuration: DomainConfiguration, _ objection: String?, _ policy: PolicyFile?
  ) {
    let file = configuration.file
    let name = file.fields(at: "/").last?.rest(before: ".xml").map(String.init) ?? file
    self.init(
      hypervisor: "libvirt", name: name, file: file, hook: objection == nil ? .berth : .none,
      reason: objection)
    do {
      let domain = try configuration.domain()
      (self.name, id) = (domain.name, domain.id)
      add(policy, for: domain)
    } catch {
      (hook, reason) = (.unknown, "\(error)")
    }
  }

  fileprivate init(
    _ machine: ProxmoxMachines.Machine, _ policy: PolicyFile?, on host: Host
  ) {
    self.init(
      hypervisor: "Proxmox VE", name: machine.name, id: machine.vmid, file: machine.file,
      hook: .none, hookscript: machine.hookscript.volume, reason: machine.complaint)
    if machine.complaint != nil {
      hook = .unknown
      return
    }
    switch machine.hookscript {
    case .none: break
    case .berth(let volume):
      let objection = Examiner.objection(toHookscript: volume, on: host)
      hook = objection == nil ? .berth : .none
      reason = objection.map { "\(volume) \($0)" }
    case .another(let volume): (hook, reason) = (.another, "it is \(volume)")
    }
    add(
      policy,
      for: Domain(hypervisor: .proxmox, name: machine.name, id: machine.vmid, vcpus: 0))
  }

  private mutating func add(_ policy: PolicyFile?, for domain: Domain) {
    guard let policy else { return }
    sections = policy.headers(for: domain)
    profile = policy.profile(for: domain)
    do throws(PolicyError) {
      isEnabled = try policy.policy(for: domain).value.isEnabled
    } catch {
      isEnabled = nil
    }
  }
}

extension ListReport {
  /// A table no wider than the window, if there is one, and what to do about hooks that are not called.
  func lines(columns: Int?) -> [Text] {
    if vms.isEmpty { return ["neither libvirt nor Proxmox has a VM here"] }
    var table = Table()
    table.append(
      Text("VM", .bold), Text("HYPERVISOR", .bold), Text("HOOK", .bold), Text("POLICY", .bold))
    for vm in vms {
      table.append(Text(name: vm.title), Text(vm.hypervisor), vm.hook.text, vm.policy)
    }
    return table.lines(width: columns) + remarks
  }

  /// What to do about hooks that are not called.
  private var remarks: [Text] {
    var lines: [Text] = []
    let missing = vms.filter { $0.hook == .none && $0.reason == nil }.compactMap(\.id)
    if !missing.isEmpty {
      lines.append("berth enable \(missing.joined(separator: " ")) has Proxmox call Berth")
    }
    var reasons: [String] = []
    for vm in vms {
      guard let reason = vm.reason else { continue }
      // libvirt's hook is missing for all or for none.
      let sentence = vm.hypervisor == "libvirt" && vm.hook == .none ? reason : vm.sentence(reason)
      if !reasons.contains(sentence) { reasons.append(sentence) }
    }
    return lines + reasons.flatMap { TopologyPlan.wrapped($0, indent: 0).map { Text($0, .yellow) } }
  }
}

extension ListReport.Hook {
  fileprivate var text: Text {
    switch self {
    case .berth: Text("yes", .green)
    case .another: Text("another", .yellow)
    case .none: Text("no", .yellow)
    case .unknown: Text("?", .red)
    }
  }
}

extension ListReport.VM {
  fileprivate var title: String {
    guard hypervisor != "libvirt", let id, id != name else { return name }
    return "\(name) (\(id))"
  }

  fileprivate var policy: Text {
    if hook == .unknown { return "" }
    guard let isEnabled else { return Text("cannot be read: berth config check", .red) }
    var parts = sections + (profile.map { ["profile \($0)"] } ?? [])
    if parts.isEmpty { parts = ["defaults"] }
    if !isEnabled { parts.append("enabled = false") }
    return Text(parts.joined(separator: ", "))
  }

  fileprivate func sentence(_ reason: String) -> String {
    hook == .another
      ? "\(title) has another hookscript: \(reason); it may call /usr/sbin/berth \"$@\""
      : "\(title): \(reason)"
  }
}
