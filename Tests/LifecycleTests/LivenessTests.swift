import HostModel
import Support
import Testing

@testable import Lifecycle
@testable import Recorded

/// Who is gone, and whom a start is to be watched by.
struct LivenessTests {
  let host = TemporaryDirectory()

  private var liveness: Liveness { Liveness(kernel: RecordedKernel(root: host.path)) }

  private func process(_ pid: Int, parent: Int, startTime: Int = 50, _ arguments: [String]) {
    for folder in ["proc", "proc/\(pid)"] { host.directory(folder) }
    let fields = Array(repeating: "0", count: 14).joined(separator: " ")
    host.file("proc/\(pid)/stat", "\(pid) (x) S \(parent) \(fields) 0 0 0 \(startTime) 0 0\n")
    host.file("proc/\(pid)/cmdline", arguments.map { $0 + "\0" }.joined())
  }

  private func pidFile(_ text: String) {
    for folder in ["run", "run/qemu-server"] { host.directory(folder) }
    host.file("run/qemu-server/100.pid", text)
  }

  private func holder(process: Int? = nil, hook: Int? = nil) -> Holder {
    var holder = Holder(id: HolderID(hypervisor: .proxmox, id: "100"), name: "win10")
    holder.process = process.map { ProcessIdentity(pid: $0, startTime: 50) }
    holder.hook = hook.map { ProcessIdentity(pid: $0, startTime: 50) }
    return holder
  }

  private let qemu = ["/usr/bin/kvm", "-id", "100", "-pidfile", "/var/run/qemu-server/100.pid"]

  @Test func aStartIsOverWithItsProcess() {
    process(7, parent: 1, ["task UPID:pve:qmstart:100"])
    #expect(!liveness.isGone(holder(hook: 7)))
    #expect(liveness.isGone(holder(hook: 8)))
  }

  @Test(arguments: [Hypervisor.libvirt, .proxmox])
  func aStartWhoseHookDiedAtItsWorkIsOver(hypervisor: Hypervisor) {
    process(7, parent: 1, ["/etc/libvirt/hooks/qemu"])
    for (worker, isGone) in [(7, false), (8, true)] {
      var holder = Holder(id: HolderID(hypervisor: hypervisor, id: "100"), name: "win10")
      holder.worker = ProcessIdentity(pid: worker, startTime: 50)
      #expect(liveness.isGone(holder) == isGone)
      holder.hasArrived = true
      #expect(!liveness.isGone(holder))
    }
  }

  @Test func aStartWhoseProcessEndedIsGoodIfItsQEMURuns() {
    process(9, parent: 1, qemu)
    pidFile("9\n")
    #expect(!liveness.isGone(holder(hook: 8)))
    #expect(liveness.isSeenRunning(holder()))
  }

  @Test func thePIDFileOfAnEarlierRunNamesNobody() {
    process(9, parent: 1, ["/usr/sbin/sshd"])
    pidFile("9\n")
    #expect(liveness.isGone(holder(hook: 8)))
    #expect(!liveness.isSeenRunning(holder()))
  }

  @Test func aProcessInThePIDFileThatCameAfterTheStarterIsItsQEMUWhateverItIsCalled() {
    process(9, parent: 1, startTime: 60, ["/opt/emulator"])
    pidFile("9\n")
    #expect(!liveness.isGone(holder(hook: 8)))
  }

  @Test func anotherProcessOfTheSameNumberIsNotTheDomains() {
    process(9, parent: 1, startTime: 51, qemu)
    #expect(liveness.isGone(holder(process: 9)))
    #expect(!liveness.isSeenRunning(holder(process: 9)))
  }

  @Test func theStarterIsFoundBehindTheScriptsThatItCalled() throws {
    let own = RecordedKernel(root: host.path).ownPID
    process(20, parent: 1, ["task UPID:pve:qmstart:100"])
    process(21, parent: 20, ["/bin/bash", "/var/lib/vz/snippets/mine.sh", "100", "pre-start"])
    process(own, parent: 21, ["/usr/sbin/berth", "100", "pre-start"])
    #expect(try liveness.starter(under: .proxmox) == ProcessIdentity(pid: 20, startTime: 50))
  }
}
