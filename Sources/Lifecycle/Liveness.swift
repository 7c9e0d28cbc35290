internal import Bytes
internal import Facts
internal import Formats
package import HostModel
package import Port

/// Tells which domains of the ledger have left without a word.
package struct Liveness {
  let kernel: any KernelReader
  /// How long after its `prepare` a domain may take until its QEMU runs.
  private static let arrivalSeconds = 600
  /// How long libvirt may clean up after a QEMU that is gone; it then says so, unless its daemon was
  /// killed and has forgotten the domain.
  private static let cleanupSeconds = 120
  /// How many scripts may have called each other between Proxmox and Berth.
  private static let generations = 8

  package init(kernel: any KernelReader) { self.kernel = kernel }

  /// Whether a domain is gone although nobody called `release` for it.
  ///
  /// A QEMU that died is not enough while its hypervisor still cleans up after it: libvirt resets
  /// the domain's devices before `release`, and a function that had gone back to its host driver
  /// by then would be reset under it. libvirt keeps the pid file until the last step before
  /// `release` (src/qemu/qemu_process.c, `qemuProcessStop`).
  package func isGone(_ holder: Holder) -> Bool {
    if let process = holder.process {
      if isAlive(process) { return false }
      if holder.id.hypervisor != .libvirt || !hasPIDFile(holder) { return true }
      return holder.ended.map { kernel.now.secondsSinceBoot - $0 > Self.cleanupSeconds } ?? false
    }
    if isWorkedFor(holder) { return false }
    if hasQEMU(holder) || hasProcessInPIDFile(holder) { return false }
    // It was said to run, by a QEMU that was not recognised: no time that passes tells of its end.
    if holder.hasArrived { return false }
    // Whoever prepared the host for it has died at that, and no hypervisor starts a domain whose hook has failed.
    if holder.worker != nil { return true }
    if holder.hook != nil, holder.id.hypervisor == .proxmox { return true }
    return kernel.now.secondsSinceBoot - holder.since > Self.arrivalSeconds
  }

  /// The process that is to be watched until a domain's QEMU runs.
  ///
  /// Proxmox starts a domain in one process of its own, which calls the hooks, starts QEMU, and ends
  /// with the start, whatever became of it (`vm_start_nolock()` in src/PVE/QemuServer.pm). libvirt's
  /// daemon outlives every start, so that only the hook itself can be watched.
  ///
  /// Between the two may be scripts that call Berth among other things: those have the phase among
  /// their arguments, as they were called with it.
  func starter(under hypervisor: Hypervisor) throws(HostError) -> ProcessIdentity? {
    let reader = ProcessReader(kernel: kernel)
    guard hypervisor == .proxmox else { return try reader.identity(of: kernel.ownPID) }
    var pid = kernel.ownPID
    for _ in 0..<Self.generations {
      guard let stat = try reader.stat(at: "/proc/\(pid)/stat") else { return nil }
      pid = stat.parent
      guard let arguments = try reader.arguments(of: pid),
        arguments.contains(where: { $0 == "pre-start" })
      else {
        break
      }
    }
    return try reader.identity(of: pid)
  }

  /// How long a hypervisor may take from the end of `prepare` until its QEMU can be seen: it resets the
  /// domain's devices in between.
  private static let launchSeconds = 30

  /// Whether anything is to be seen of the start of a domain that is not in: who prepares the host for
  /// it, its QEMU, or that it was prepared for just now.
  func isStarting(_ holder: Holder) -> Bool {
    isWorkedFor(holder)
      || kernel.now.secondsSinceBoot - holder.since <= Self.launchSeconds || hasQEMU(holder)
  }

  /// Whether a process that prepares the host for a domain, or settles its claims, lives.
  ///
  /// Who has died at that is the end of the start, though the process may live on for a while that began it.
  private func isWorkedFor(_ holder: Holder) -> Bool {
    (holder.worker ?? holder.hook).map(isAlive) ?? false
  }

  /// Whether a domain's QEMU is seen to run; what cannot be read is no sign of it.
  func isSeenRunning(_ holder: Holder) -> Bool {
    let reader = ProcessReader(kernel: kernel)
    do throws(HostError) {
      if let process = holder.process { return try reader.identity(of: process.pid) == process }
      return try reader.qemu(of: domain(of: holder)) != nil
    } catch {
      return false
    }
  }

  /// The domain with what can be told of it now: its QEMU, where that was not recognised before, and
  /// since when that has been gone.
  func renewed(_ holder: Holder) -> Holder {
    var renewed = holder
    if holder.hasArrived, holder.process == nil {
      // What cannot be read is looked at again the next time.
      renewed.process = try? ProcessReader(kernel: kernel).qemu(of: domain(of: holder))
    }
    if isOver(renewed), holder.ended == nil { renewed.ended = kernel.now.secondsSinceBoot }
    return renewed
  }

  /// Whether a domain's QEMU is gone, and its hypervisor is still to say so.
  func isOver(_ holder: Holder) -> Bool {
    holder.process.map { !isAlive($0) } ?? false
  }

  /// The huge pages that a domain's QEMU has taken already; nil where none is seen to run, or nobody
  /// tells.
  func hugepageKiB(of holder: Holder) throws(HostError) -> Int? {
    let reader = ProcessReader(kernel: kernel)
    return try reader.qemu(of: domain(of: holder)).flatMap { process throws(HostError) in
      try reader.hugepageKiB(of: process)
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

  /// Whether any process has a number.
  func isRunning(_ pid: Int) -> Bool { pid > 0 && kernel.exists("/proc/\(pid)") }

  private func domain(of holder: Holder) -> Domain {
    Domain(hypervisor: holder.id.hypervisor, name: holder.name, id: holder.id.id, vcpus: 1)
  }

  private func hasPIDFile(_ holder: Holder) -> Bool {
    PIDFile(of: domain(of: holder)).map { kernel.exists($0.path) } ?? false
  }

  /// Whether a process that the hypervisor has written down as a domain's QEMU runs, and came after
  /// whoever started the domain, even if it is not recognised.
  private func hasProcessInPIDFile(_ holder: Holder) -> Bool {
    guard let hook = holder.hook, let file = PIDFile(of: domain(of: holder)) else { return false }
    do throws(HostError) {
      guard let pid = try kernel.wordIfPresent(of: file.path).flatMap({ Int($0) }) else {
        return false
      }
      let process = try ProcessReader(kernel: kernel).identity(of: pid)
      return process.map { $0.startTime > hook.startTime } ?? false
    } catch {
      return true
    }
  }

  private func hasQEMU(_ holder: Holder) -> Bool {
    do throws(HostError) {
      return try ProcessReader(kernel: kernel).qemu(of: domain(of: holder)) != nil
    } catch {
      return true
    }
  }
}
