import Bytes
import HostModel
import Port

/// What hypervisors and QEMUs do to the host.
extension World {
  /// Begins a guest's QEMU: its process, its scope, and its memory, of which nothing is touched yet.
  ///
  /// - Throws: `ENOMEM` where there are too few pages that nobody else has mapped.
  func appear(_ guest: Guest) throws(HostError) {
    guard try freePages(guest.node) - reserved() >= guest.pages else {
      throw HostError(.call, "QEMU of \(guest.name)", errno: 12)
    }
    let pid = newPID()
    // What it has of the host comes with it and goes with it.
    guest.pid = pid
    let text = overlay(of: guest)
    try add(text, guest)
    guest.hasScope = true
    try map(guest.pages, guest)
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
    try kernel.number(of: "\(pool(node))/free_hugepages")
  }

  func reserved() throws(HostError) -> Int {
    try kernel.number(of: "\(Self.sums)/resv_hugepages")
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

  // MARK: What is there for all

  /// What others than a guest have of a node's memory, or were promised.
  func demand(besides guest: Guest) -> Int {
    var sum = strangersPages[guest.node]
    for other in guests where other !== guest && other.node == guest.node {
      if other.isCounted || other.runs { sum += other.pages }
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

  /// Whether any guest that runs lacks what it was given.
  func checkThatNobodyIsTakenApart(by name: String) {
    for guest in guests where guest.runs {
      for function in guest.functions {
        let driver = driver(of: function)
        if driver != "vfio-pci" {
          find(
            .takenApart,
            "\(name) has taken \(function) from \(guest.name), which runs (now \(driver ?? "none"))")
        }
      }
      if guest.isIsolated, let word = try? kernel.word(of: guest.partition), word != "isolated" {
        guest.isIsolated = false
        find(.takenApart, "\(name) has ended the isolation of \(guest.name): \(word)")
      }
    }
  }
}
