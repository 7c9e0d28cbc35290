internal import Formats
internal import HostModel
internal import Port

/// What is to become of the lines `hookscript` of Proxmox's VMs.
enum HookscriptChange {
  case enable
  case disable
}

/// What is written to the configurations of Proxmox's VMs, and what became of it.
struct HookscriptReport: Encodable {
  var vms: [VM]
  var isDryRun: Bool

  enum Result: String, Encodable {
    /// To be written, if nobody objects.
    case pending
    case written
    /// There is nothing to write.
    case unchanged
    case refused
    case failed
  }

  struct VM: Encodable {
    var vmid: Int
    var name: String
    var file: String
    /// The lines that are taken out and put in.
    @Nullable var removed: String?
    @Nullable var added: String?
    var result: Result
    /// Why nothing is written.
    @Nullable var reason: String?
  }

  init(_ change: HookscriptChange, of machines: [ProxmoxMachines.Machine], isDryRun: Bool) {
    self.isDryRun = isDryRun
    vms = machines.map { VM(change, of: $0) }
  }

  /// How many lines are still to be written.
  var pending: Int { vms.count { $0.result == .pending } }

  var hasFailed: Bool { vms.contains { $0.result == .refused || $0.result == .failed } }
}

extension HookscriptReport.VM {
  fileprivate init(_ change: HookscriptChange, of machine: ProxmoxMachines.Machine) {
    self.init(
      vmid: Int(machine.vmid) ?? 0, name: machine.name, file: machine.file, result: .unchanged)
    if let complaint = machine.complaint {
      (result, reason) = (.refused, complaint)
      return
    }
    switch (change, machine.hookscript) {
    case (.enable, .none):
      (result, added) = (.pending, Self.line(Hookscript.installed))
    case (.enable, .berth(let volume)):
      reason = "\(Self.line(volume)) is there already"
    case (.enable, .another(let volume)):
      result = .refused
      reason =
        "it has another hookscript, \(volume): add the line /usr/sbin/berth \"$@\" to that, or take it "
        + "out with: qm set \(machine.vmid) --delete hookscript"
    case (.disable, .berth(let volume)):
      (result, removed) = (.pending, Self.line(volume))
    case (.disable, .none): reason = "it has no hookscript"
    case (.disable, .another(let volume)):
      reason = "its hookscript is \(volume), which is not Berth's"
    }
  }

  private static func line(_ volume: String) -> String { "hookscript: \(volume)" }

  fileprivate var title: String { "\(name) (\(vmid))" }
}

extension HookscriptReport {
  /// Has Proxmox write each line, and looks whether it is there.
  mutating func write(on host: Host) {
    for index in vms.indices where vms[index].result == .pending {
      do {
        try Self.write(vms[index], on: host)
        vms[index].result = .written
      } catch {
        (vms[index].result, vms[index].reason) = (.failed, "\(error)")
      }
    }
  }

  /// More than the ten seconds that Proxmox waits for a VM's lock.
  private static let patience = 30_000

  private static func write(_ vm: VM, on host: Host) throws {
    let vmid = "\(vm.vmid)"
    let machines = ProxmoxMachines(of: host)
    // An answer at the prompt may take long.
    guard let before = try machines.machine(vmid),
      before.hookscript.volume.map({ "hookscript: \($0)" }) == vm.removed
    else {
      throw Complaint("its configuration was changed meanwhile; nothing was written")
    }
    let wanted = vm.added == nil ? nil : Hookscript.installed
    try host.proxmox.setHookscript(
      wanted, of: vmid, until: host.deadline(milliseconds: patience))
    guard try machines.machine(vmid)?.hookscript == Hookscript(wanted) else {
      throw Complaint("qm ended without an error, and \(vm.file) does not say so")
    }
  }
}

extension HookscriptReport {
  /// What would be written, by VM.
  var preview: [Text] {
    vms.flatMap { vm -> [Text] in
      var lines = [Text(name: vm.name, .bold) + Text(" (\(vm.vmid)): \(vm.file)")]
      if let removed = vm.removed { lines.append(Text("  - \(removed)", .red)) }
      if let added = vm.added { lines.append(Text("  + \(added)", .green)) }
      if let reason = vm.reason {
        lines += TopologyPlan.wrapped(reason, indent: 2).map {
          Text("  \($0)", vm.result == .refused ? .yellow : .faint)
        }
      }
      return lines
    }
  }

  /// What became of it, behind the preview.
  var outcome: [Text] {
    if isDryRun || !vms.contains(where: { $0.result == .written || $0.result == .failed }) {
      return pending > 0 ? ["a dry run: nothing was written"] : ["nothing to write"]
    }
    return vms.compactMap { vm in
      switch vm.result {
      case .written: Text("\(vm.title): written; it counts from the next start on", .green)
      case .failed: Text("\(vm.title): \(vm.reason ?? "failed")", .red)
      case .pending, .unchanged, .refused: nil
      }
    }
  }
}
