package import HostModel

/// Tells which domains of the ledger have left without a word.
package struct Census {
  let kernel: any KernelReader
  /// How long after its `prepare` a domain may take until its QEMU runs.
  private static let arrivalSeconds = 600

  package init(kernel: any KernelReader) { self.kernel = kernel }

  /// Whether a domain is gone although nobody called `release` for it.
  ///
  /// A QEMU that died is not enough while its hypervisor still cleans up after it: libvirt resets
  /// the domain's devices before `release`, and a function that had gone back to its host driver
  /// by then would be reset under it. libvirt keeps the pid file until the last step before
  /// `release` (src/qemu/qemu_process.c, `qemuProcessStop`).
  package func isGone(_ holder: Holder) -> Bool {
    let file = pidFile(of: holder)
    if let process = holder.process {
      if isAlive(process) { return false }
      return holder.id.hypervisor != .libvirt || !(file.map(kernel.exists) ?? false)
    }
    if let hook = holder.hook, isAlive(hook) { return false }
    if let file, hasLivingProcess(file) { return false }
    if let hook = holder.hook, holder.id.hypervisor == .proxmox { return !isAlive(hook) }
    return secondsSinceBoot - holder.since > Self.arrivalSeconds
  }

  /// The process that is to be watched until a domain's QEMU runs.
  ///
  /// Proxmox starts a domain in one process of its own, which calls the hooks, starts QEMU, and ends
  /// with the start, whatever became of it (`vm_start_nolock()` in src/PVE/QemuServer.pm). libvirt's
  /// daemon outlives every start, so that only the hook itself can be watched.
  func starter(under hypervisor: Hypervisor) throws(HostError) -> ProcessIdentity? {
    let reader = ProcessReader(kernel: kernel)
    guard hypervisor == .proxmox else { return try reader.identity(of: kernel.ownPID) }
    guard let own = try reader.stat(at: "/proc/\(kernel.ownPID)/stat") else { return nil }
    return try reader.identity(of: own.parent)
  }

  /// Whether a domain's QEMU is seen to run; what cannot be read is no sign of it.
  func isSeenRunning(_ holder: Holder) -> Bool {
    let reader = ProcessReader(kernel: kernel)
    do throws(HostError) {
      if let process = holder.process { return try reader.identity(of: process.pid) == process }
      guard let file = pidFile(of: holder) else { return false }
      return try livingProcess(in: file) != nil
    } catch {
      return false
    }
  }

  /// Whether this very process runs.
  package func isAlive(_ process: ProcessIdentity) -> Bool {
    do throws(HostError) {
      return try ProcessReader(kernel: kernel).identity(of: process.pid) == process
    } catch {
      // A process whose status cannot be read is no proof of its death.
      return true
    }
  }

  /// Whole seconds of the monotonic clock.
  package var secondsSinceBoot: Int { Int(kernel.now.nanoseconds / 1_000_000_000) }

  /// Where the domain's hypervisor writes the number of its QEMU.
  private func pidFile(of holder: Holder) -> String? {
    let domain = Domain(
      hypervisor: holder.id.hypervisor, name: holder.name, id: holder.id.id, vcpus: 1)
    return PIDFile(of: domain)?.path
  }

  private func hasLivingProcess(_ file: String) -> Bool {
    do throws(HostError) {
      return try livingProcess(in: file) != nil
    } catch {
      return true
    }
  }

  private func livingProcess(in file: String) throws(HostError) -> ProcessIdentity? {
    guard let text = try kernel.wordIfPresent(of: file), let pid = Int(text) else { return nil }
    return try ProcessReader(kernel: kernel).identity(of: pid)
  }
}
