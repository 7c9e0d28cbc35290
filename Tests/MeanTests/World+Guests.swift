import Bytes
import HostModel
import Ledger
import Port

/// What hypervisors and QEMUs do to the host.
extension World {
  /// Begins a guest's QEMU: its process, its scope, and its memory, of which nothing is touched yet.
  ///
  /// - Throws: `ENOMEM` where there are too few pages that nobody else has mapped.
  func appear(_ guest: Guest) throws(HostError) {
    let pid = newPID()
    guest.pid = pid
    // Before it has any memory; libvirt writes it itself, QEMU in `qemu_maybe_daemonize()`.
    try putPIDFile(guest)
    try add(overlay(of: guest), guest)
    guest.hasScope = true
    // Pages are reserved for all nodes together, and those of the right one may be others'.
    let free = try min(freePages(0) + freePages(1) - reserved(), freePages(guest.node))
    guard free >= guest.pages else {
      try disappear(guest)
      throw HostError(.call, "QEMU of \(guest.name)", errno: 12, diagnosis: "\(free) pages")
    }
    try map(guest.pages, guest)
    guest.held = guest.functions.filter { isClaimed($0, for: guest) }
    checkThatNobodyIsTakenApart(by: "the start of \(guest.name)")
    note("the QEMU of \(guest.name) runs, PID \(pid)")
  }

  private func add(_ text: String, _ guest: Guest) throws(HostError) {
    try files.add(text)
    guest.overlays.append(text)
  }

  private static let sums: HostPath = "/sys/kernel/mm/hugepages/hugepages-2048kB"
  private func pool(_ node: Int) -> HostPath {
    "/sys/devices/system/node/node\(node)/hugepages/hugepages-2048kB"
  }

  func freePages(_ node: Int) throws(HostError) -> Int {
    try kernel.number(of: "\(pool(node))/free_hugepages", as: .pages)
  }

  func reserved() throws(HostError) -> Int {
    try kernel.number(of: "\(Self.sums)/resv_hugepages", as: .pages)
  }

  private func map(_ pages: Int, _ guest: Guest) throws(HostError) {
    try files.add("\(Self.sums.below(.root))/resv_hugepages += \(pages)\n")
    guest.mapped += pages
  }

  /// QEMU fills its memory.
  func touch(_ pages: Int, _ guest: Guest) throws(HostError) {
    let pages = min(pages, guest.mapped)
    guard guest.runs, pages > 0 else { return }
    try files.add(
      "\(pool(guest.node).below(.root))/free_hugepages += \(-pages)\n"
        + "\(Self.sums.below(.root))/resv_hugepages += \(-pages)\n")
    guest.mapped -= pages
    guest.touched += pages
    try files.add(status(of: guest))
  }

  /// QEMU ends, and with it its scope; its pid file stays until its hypervisor has seen to it.
  func disappear(_ guest: Guest) throws(HostError) {
    guard guest.runs else { return }
    note("the QEMU of \(guest.name) ends")
    try files.remove(
      "\(pool(guest.node).below(.root))/free_hugepages += \(-guest.touched)\n"
        + "\(Self.sums.below(.root))/resv_hugepages += \(guest.mapped)\n")
    for text in guest.overlays.reversed() { try files.remove(text) }
    guest.overlays = []
    guest.pid = 0
    guest.held = []
    (guest.touched, guest.mapped) = (0, 0)
    guest.hasScope = false
    guest.isIsolated = false
    scopeEnded(guest.scopeName)
  }

  private func overlay(of guest: Guest) -> String {
    let pid = guest.pid
    let scope = "sys/fs/cgroup/\(guest.group)"
    let start = now / 10_000_000
    var text = "proc/\(pid)/\n\(scope)/\n"
    if guest.domain.hypervisor == .proxmox {
      text += "\(scope)/cgroup.procs\t\(pid)\n\(scope)/cgroup.events\tpopulated 1\n"
      text += SmallHost.process(
        pid, "kvm", start: start, group: "/\(guest.group)", arguments: guest.arguments)
    } else {
      text += SmallHost.group(scope) + SmallHost.group("\(scope)/libvirt", process: "\(pid)")
      text += SmallHost.group("\(scope)/libvirt/emulator")
      text += SmallHost.process(
        pid, "qemu-system-x86", start: start, group: "/\(guest.group)/libvirt/emulator",
        arguments: guest.arguments)
      for vcpu in 0..<guest.domain.vcpus {
        let cpus = guest.domain.vcpuPins[vcpu]?.description ?? "0-7"
        let group = "\(scope)/libvirt/vcpu\(vcpu)"
        text += SmallHost.group(group, cpus: cpus)
        text += SmallHost.thread(
          pid * 10 + vcpu, "CPU \(vcpu)/KVM", at: "proc/\(pid)/task/\(pid * 10 + vcpu)", 1, start,
          "/\(guest.group)/libvirt/vcpu\(vcpu)", cpus: cpus)
      }
    }
    text += status(of: guest)
    if !guest.functions.isEmpty { text += "proc/\(pid)/fd/20 -> /dev/vfio/\(guest.number)\n" }
    return text
  }

  private func status(of guest: Guest) -> String {
    """
    proc/\(guest.pid)/status\tName:\\tqemu
    \tState:\\tS (sleeping)
    \tCpus_allowed:\\tff
    \tCpus_allowed_list:\\t0-7
    \tHugetlbPages:\\t\(guest.touched * SmallHost.pageKiB) kB

    """
  }

  func putPIDFile(_ guest: Guest) throws(HostError) {
    try files.add("\(guest.pidFile)\t\(guest.pid)\n")
  }

  func removePIDFile(_ guest: Guest) throws(HostError) {
    try files.remove("\(guest.pidFile)\t0\n")
  }

  private func isClaimed(_ function: String, for guest: Guest) -> Bool {
    guard let address = PCIAddress(function), let index = ledger.index(of: .driver(address)) else {
      return false
    }
    return ledger.entries[index].claims.contains { $0.holder == guest.id }
  }

  /// Whose QEMU has a function open, so that its driver does not let go of it.
  func user(of function: String) -> Guest? {
    guests.first { $0.runs && $0.functions.contains(function) }
  }

  // MARK: What is there for all

  /// What others than a guest have of a node's memory, or were promised.
  func demand(besides guest: Guest) -> Int {
    var sum = strangersPages[guest.node]
    for other in guests where other !== guest && other.node == guest.node {
      // Of a start that nobody has said the end of, nobody can tell.
      if other.isCounted || other.runs || other.leftAt > now { sum += other.pages }
    }
    return sum
  }

  /// Has starts know what others need meanwhile.
  func countDemand() {
    for start in starts { start.most = max(start.most, demand(besides: start.guest)) }
  }

  func driver(of function: String) -> String? {
    try? kernel.target(of: "/sys/bus/pci/devices/\(below: function)/driver")
  }

  /// Whether any guest that runs lacks its CPUs.
  func checkThatNobodyIsTakenApart(by name: String) {
    for guest in guests where guest.runs {
      if guest.isIsolated, let word = try? kernel.word(of: guest.partition), word == "member" {
        guest.isIsolated = false
        find(.takenApart, "\(name) has ended the isolation of \(guest.name): \(word)")
      }
    }
  }
}
