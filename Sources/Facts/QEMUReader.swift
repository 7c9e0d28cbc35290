internal import Bytes
package import HostModel
package import Port

/// Finds a domain's QEMU and looks at its threads and cgroups.
///
/// The threads that the kernel has for QEMUs are looked for once, however many domains are asked for:
/// a look at a later moment needs a reader of its own.
package struct QEMUReader {
  let kernel: any KernelReader
  let version: KernelVersion
  let monitor: (any QEMUMonitor)?
  private let processes: ProcessTable
  private let deadline: Deadline?

  package init(
    kernel: any KernelReader, monitor: (any QEMUMonitor)? = nil
  ) throws(HostError) {
    self.init(
      kernel: kernel, version: try kernel.version(), monitor: monitor,
      processes: ProcessTable(kernel: kernel))
  }

  init(
    kernel: any KernelReader, version: KernelVersion, monitor: (any QEMUMonitor)?,
    processes: ProcessTable, until deadline: Deadline? = nil
  ) {
    self.kernel = kernel
    self.version = version
    self.monitor = monitor
    self.processes = processes
    self.deadline = deadline
  }

  /// The domain's QEMU; nil where none runs.
  ///
  /// `onlyCPUs` leaves out what else its threads have: schedulers and cgroups.
  package func process(
    of domain: Domain, onlyCPUs: Bool = false
  ) throws(HostError) -> QEMUFacts? {
    guard let identity = try ProcessReader(kernel: kernel).qemu(of: domain) else { return nil }
    // From Linux 6.4 on the threads of vhost are QEMU's own.
    let hasWorkers = version < KernelVersion(major: 6, minor: 4)
    let threads = try ThreadReader(kernel: kernel, domain: domain, pid: identity.pid)
      .threads(andWorkersAmong: hasWorkers ? processes : nil, onlyCPUs: onlyCPUs)
    var facts = QEMUFacts(identity: identity, threads: threads)
    assignRoles(of: domain, in: &facts)
    if !onlyCPUs { try readGroups(into: &facts) }

    // The process may have ended, and its number be another's, while its threads were read.
    return try ProcessReader(kernel: kernel).identity(of: identity.pid) == identity ? facts : nil
  }

  /// How long a QEMU may take to say what its threads do: what is left of the phase is for them.
  private static let patience = 2_000

  /// Puts in what QEMU itself says of its threads, where it can be asked.
  ///
  /// A thread that QEMU calls neither vCPU nor iothread is a worker, whatever its name is.
  private func assignRoles(of domain: Domain, in facts: inout QEMUFacts) {
    guard let monitor else { return }
    let roles: [Int: ThreadRole]
    do throws(HostError) {
      let patience = kernel.now.advanced(byMilliseconds: Self.patience)
      roles = try monitor.roles(of: domain, until: min(patience, deadline ?? patience))
    } catch {
      facts.rolesAreGuessed = "\(error)"
      return
    }
    guard !roles.isEmpty else { return }
    for index in facts.threads.indices {
      let thread = facts.threads[index].thread
      if let role = roles[thread.tid] {
        facts.threads[index].thread.role = role
      } else if thread.role.isNamedByQEMU {
        facts.threads[index].thread.role = .worker
      }
    }
  }

  private func readGroups(into facts: inout QEMUFacts) throws(HostError) {
    let process: HostPath = "/proc/\(facts.identity.pid)"
    let scope = try scope(of: facts.identity)
    facts.scope = scope
    let own = try kernel.cgroup(at: "\(process)/cgroup") ?? ""
    var first: String?
    for thread in facts.threads {
      guard case .vcpu(let number) = thread.thread.role,
        let group = try kernel.cgroup(at: "\(process)/task/\(thread.thread.tid)/cgroup"),
        !group.isEmpty, group != own, group != scope
      else { continue }
      facts.vcpuGroups[number] = group
      first = first ?? group
    }
    // Without systemd, libvirt's group is the one above those of its threads.
    let parent = first?.cutLast(at: "/").map { String($0.head) }
    facts.home = scope ?? parent ?? (own.isEmpty ? nil : own)
    guard let home = facts.home else { return }
    facts.canPartition = kernel.hasExclusiveCPUs(in: first ?? home)
    if let first { facts.otherGroups = try groups(beside: first, in: facts) }
  }

  /// The groups beside those of vCPUs, and what each may use.
  private func groups(
    beside vcpu: String, in facts: QEMUFacts
  ) throws(HostError) -> [ThreadGroupFacts] {
    guard let parent = vcpu.cutLast(at: "/")?.head else { return [] }
    let vcpus = Set(facts.vcpuGroups.values)
    var groups: [ThreadGroupFacts] = []
    for name in try kernel.entriesIfPresent(of: "/sys/fs/cgroup/\(below: String(parent))").sorted()
    {
      let path = "\(parent)/\(name)"
      // The group's own files have dots in their names, of which there are more than groups.
      if name.has(".") || vcpus.contains(path) { continue }
      let file: HostPath = "/sys/fs/cgroup/\(below: path)/cpuset.cpus"
      guard let text = try kernel.wordIfPresent(of: file), let cpus = try? CPUList(parsing: text)
      else { continue }
      groups.append(ThreadGroupFacts(path: path, cpus: cpus))
    }
    return groups
  }

  /// The scope that systemd made for a process, as a path under the cgroup mount.
  package func scope(of process: ProcessIdentity) throws(HostError) -> String? {
    let group = try kernel.cgroup(at: "/proc/\(process.pid)/cgroup") ?? ""
    let parts = group.fields(at: "/")
    guard let end = parts.firstIndex(where: { $0.ends(with: ".scope") }) else { return nil }
    return parts[...end].joined(separator: "/")
  }
}
