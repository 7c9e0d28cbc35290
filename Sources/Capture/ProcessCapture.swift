internal import Bytes
internal import Facts
internal import Formats
internal import HostModel
internal import Port

/// Chooses of the processes of a host those that Berth looks at, and keeps what it reads of them.
///
/// Those are the kernel's own threads, the QEMUs of libvirt and Proxmox with their threads, every
/// irqbalance, and who has a device file open that a domain may want; before Linux 6.2 also the
/// tasks that are bound to CPUs, without their names.
struct ProcessCapture {
  let kernel: any KernelReader

  private static let deviceFolders = ["/dev/dri/", "/dev/snd/", "/dev/nvidia", "/dev/vfio/"]
  private static let otherName = "task"

  func record(in recorder: inout CaptureRecorder) throws(HostError) {
    let reader = ProcessReader(kernel: kernel)
    let guests = try guests()
    let balancers = try Balancer.running(on: kernel).map(\.process.pid)
    let bound = try boundTasks()
    for pid in try kernel.entriesIfPresent(of: "/proc").compactMap(Quantity.process.number).sorted()
    {
      guard let stat = try? reader.stat(at: "/proc/\(pid)/stat") else { continue }
      let folder: HostPath = "/proc/\(pid)"
      if stat.isKernelThread {
        recordTask(pid, in: folder, named: nil, &recorder)
        recordTask(pid, in: "\(folder)/task/\(pid)", named: nil, &recorder)
        continue
      }
      let files = deviceFiles(of: pid)
      let isKnown = guests.contains(pid) || balancers.contains(pid) || pid == 1 || !files.isEmpty
      guard isKnown || bound[pid] != nil else { continue }
      let name = isKnown ? nil : Self.otherName
      recordTask(pid, in: folder, named: name, &recorder)
      for (number, target) in files { recorder.put(link: target, at: "\(folder)/fd/\(number)") }
      if guests.contains(pid) {
        recordGuest(pid, in: folder, &recorder)
      } else {
        recordTask(pid, in: "\(folder)/task/\(pid)", named: name, &recorder)
        for tid in bound[pid] ?? [] where tid != pid {
          recordTask(tid, in: "\(folder)/task/\(tid)", named: name, &recorder)
        }
      }
      if balancers.contains(pid) {
        recorder.put(at: "\(folder)/environ", Redaction.environment)
      }
    }
  }

  private func guests() throws(HostError) -> Set<Int> {
    var pids: Set<Int> = []
    for domain in try GuestReader(kernel: kernel).candidates() {
      // A pid file that says nothing is no guest's.
      if let process = try? ProcessReader(kernel: kernel).qemu(of: domain) {
        pids.insert(process.pid)
      }
    }
    return pids
  }

  private func boundTasks() throws(HostError) -> [Int: [Int]] {
    guard let version = try? kernel.version(), version < KernelVersion(major: 6, minor: 2) else {
      return [:]
    }
    let tasks = try TaskReader(kernel: kernel, version: version).pinned()
    return Dictionary(grouping: tasks, by: \.pid).mapValues { $0.map(\.tid) }
  }

  private func recordGuest(_ pid: Int, in folder: HostPath, _ recorder: inout CaptureRecorder) {
    recorder.put(at: "\(folder)/cmdline", Redaction.arguments)
    recorder.put(at: "\(folder)/numa_maps", Redaction.pages)
    let tids = ((try? kernel.entries(of: "\(folder)/task")) ?? []).compactMap(
      Quantity.process.number)
    for tid in tids {
      let folder: HostPath = "\(folder)/task/\(tid)"
      recordTask(tid, in: folder, named: nil, &recorder)
      recorder.put(at: "\(folder)/schedstat") { $0 }
      recorder.put(at: "\(folder)/sched", Redaction.schedulerStatistics)
    }
  }

  /// What every task has; the name of one that is nobody's concern is left out.
  private func recordTask(
    _ tid: Int, in folder: HostPath, named name: String?, _ recorder: inout CaptureRecorder
  ) {
    recorder.put(at: "\(folder)/stat") { Redaction.stat($0, name: name) }
    recorder.put(at: "\(folder)/comm") { name.map { $0 + "\n" } ?? $0 }
    recorder.put(at: "\(folder)/status", Redaction.status)
    recorder.put(at: "\(folder)/cgroup") { text in
      let line = text.fields(at: "\n").first { $0.begins(with: "0::/") }
      return line.map { $0 + "\n" }
    }
    // What no file of the kernel tells: see `RecordedThread`.
    if let scheduler = try? kernel.scheduler(of: tid), scheduler.resetsOnFork {
      recorder.put("", at: "\(folder)/reset-on-fork")
    }
    if let cookie = try? kernel.coreCookie(of: tid), cookie != 0 {
      recorder.put("\(cookie)\n", at: "\(folder)/core-cookie")
    }
  }

  private func deviceFiles(of pid: Int) -> [(number: String, target: String)] {
    let numbers = (try? kernel.entries(of: "/proc/\(pid)/fd")) ?? []
    return numbers.compactMap { number in
      guard let target = try? kernel.destination(of: "/proc/\(pid)/fd/\(number)"),
        Self.deviceFolders.contains(where: target.begins)
      else { return nil }
      return (number, target)
    }
  }
}
