import Bytes
import Facts
import HostModel
import Support
import Testing

/// A domain's process must be found by what cannot be mistaken, and its threads told apart.
struct QEMUReaderTests {
  private func process(_ host: Workstation, _ domain: Domain = Workstation.domain) throws
    -> QEMUFacts?
  {
    try QEMUReader(kernel: host.kernel).process(of: domain)
  }

  @Test func findsTheProcessWithItsThreads() throws {
    let host = try Workstation()
    #expect(try process(host) == nil)
    try host.prepareAndStartGaming()
    let facts = try #require(try process(host))
    #expect(facts.identity == ProcessIdentity(pid: 4242, startTime: 8_641_200))
    let threads = facts.threads.map { "\($0.thread.tid) \($0.thread.role): \($0.affinity)" }
    #expect(
      threads == [
        "4242 emulator: 4,12", "4243 worker: 4,12", "4250 worker: 4,12", "4251 iothread 1: 4,12",
        "4260 vCPU 0: 5", "4261 vCPU 1: 13", "4262 vCPU 2: 6", "4263 vCPU 3: 14",
        "4264 vCPU 4: 7", "4265 vCPU 5: 15", "4270 worker: 4,12", "4271 worker: 4,12",
        "4272 vhost worker: 4,12",
      ])
    #expect(facts.threads.allSatisfy { $0.scheduler.policy == 0 })
    #expect(facts.threads[4].thread.startTime == 8_641_220)
  }

  @Test func findsTheCgroups() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    let facts = try #require(try process(host))
    let scope = "machine.slice/machine-qemu\\x2d1\\x2dgaming.scope"
    #expect(facts.scope == scope)
    #expect(facts.vcpuGroups.count == 6)
    #expect(facts.vcpuGroups[5] == "\(scope)/libvirt/vcpu5")
    #expect(facts.canPartition)
    let old = WithoutPrefix(
      kernel: host.kernel, prefix: "/sys/fs/cgroup/\(scope)/libvirt/vcpu0/cpuset.cpus.exclusive")
    #expect(try QEMUReader(kernel: old).process(of: Workstation.domain)?.canPartition == false)
  }

  /// What a pid file left behind may lead to.
  @Test(arguments: [
    "run/libvirt/qemu/gaming.pid\t640\\c", "run/libvirt/qemu/gaming.pid\t99999\\c",
    "proc/4242/cmdline\t/usr/bin/qemu-system-x86_64\\0-name\\0guest=gaming2,debug-threads=on\\0\\c",
    "proc/4242/cmdline\t/usr/bin/qemu-system-x86_64\\0-name\\0guest=gaming,,x\\0\\c",
    "proc/4242/cmdline\t/usr/bin/vi\\0-name\\0guest=gaming\\0\\c", "proc/4242/cmdline\t\\c",
    "proc/4242/stat\t4242 (qemu) Z 1 4242 4242 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 8641200 0 0",
  ])
  func believesNoPidFileAlone(change: String) throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    try host.add(change)
    #expect(try process(host) == nil)
  }

  @Test(arguments: [
    ("a&b", "a&amp;b.pid", "a&b"), ("<it's>", "&lt;it&apos;s&gt;.pid", "<it's>"),
    ("-x", "-x.pid", "-x"), ("two words", "two words.pid", "two words"),
    ("a,b", "a,b.pid", "a,,b"), (".", "..pid", "."), ("über", "über.pid", "über"),
  ])
  func spellsNamesAsLibvirtDoes(name: String, file: String, argument: String) throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    try host.add(
      """
      run/libvirt/qemu/\(file)\t4242\\c
      proc/4242/cmdline\t/usr/bin/kvm\\0-name\\0guest=\(argument),debug-threads=on\\0\\c
      """)
    let domain = Domain(hypervisor: .libvirt, name: name, id: nil, vcpus: 6)
    #expect(try process(host, domain)?.identity.pid == 4242)
  }

  @Test(arguments: ["../../../etc/x", "a/b", "", "a\0b"])
  func neverUsesANameAsAPath(name: String) throws {
    let host = try Workstation()
    try host.add("etc/x.pid\t1\\c")
    let domain = Domain(hypervisor: .libvirt, name: name, id: nil, vcpus: 1)
    #expect(try process(host, domain) == nil)
  }

  @Test func saysWhichPidFileIsWrong() throws {
    let host = try Workstation()
    try host.add("run/libvirt/qemu/gaming.pid\tx1")
    let error = #expect(throws: HostError.self) { try process(host) }
    #expect(error?.place == "/run/libvirt/qemu/gaming.pid")
  }

  @Test(arguments: [
    ("/var/run/qemu-server/100.pid", true), ("/run/qemu-server/100.pid", true),
    ("/var/run/qemu-server/1000.pid", false),
  ])
  func findsAProcessOfProxmoxByItsPidFileArgument(argument: String, isFound: Bool) throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    let rest =
      "S 1 1 1 0 -1 4194368 0 0 0 0 0 0 0 0 20 0 13 0 8641212" + String(repeating: " 0", count: 30)
    try host.add(
      """
      run/qemu-server/100.pid\t4242
      proc/4242/cmdline\t/usr/bin/kvm\\0-id\\0100\\0-pidfile\\0\(argument)\\0-daemonize\\0\\c
      proc/4242/task/4250/stat\t4250 (IO iothread-vir) \(rest)
      proc/4242/task/4251/stat\t4251 (IO iothread-vir) \(rest)
      """)
    var domain = Domain(hypervisor: .proxmox, name: "web", id: "100", vcpus: 6)
    domain.iothreadIDs = [1, 2]
    let facts = try process(host, domain)
    #expect((facts != nil) == isFound)
    let iothreads = facts?.threads.filter { $0.name == "IO iothread-vir" }.map(\.thread.role)
    #expect(iothreads == (isFound ? [.iothread(1), .iothread(2)] : nil))
  }

  @Test(arguments: ["", "x", "../100"])
  func neverUsesAVMIDAsAPath(id: String) throws {
    let domain = Domain(hypervisor: .proxmox, name: "web", id: id, vcpus: 1)
    #expect(try process(Workstation(), domain) == nil)
  }

  /// On Linux 6.1 the vhost workers are kernel threads, and anyone may call itself one.
  @Test(arguments: [("6.1.0-40-amd64", 14), ("6.12.48+deb13-amd64", 13)])
  func findsVhostAmongKernelThreadsWhereTheyAreSome(release: String, count: Int) throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    let rest = "0 0 0 0 0 0 0 0 20 0 1 0 8641300 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
    try host.add(
      """
      proc/sys/kernel/osrelease\t\(release)
      proc/4300/comm\tvhost-4242
      proc/4300/stat\t4300 (vhost-4242) S 2 0 0 0 -1 2129984 \(rest) 0 0 0
      proc/4300/status\tCpus_allowed_list:\\t4,12
      proc/4301/comm\tvhost-4242
      proc/4301/stat\t4301 (vhost-4242) S 640 0 0 0 -1 4194560 \(rest) 0 0 0
      proc/4301/status\tCpus_allowed_list:\\t4,12
      """)
    let threads = try #require(try process(host)).threads
    #expect(threads.count == count)
    #expect(threads.contains { $0.thread.tid == 4300 } == (count == 14))
  }

  @Test func skipsAThreadThatEnds() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    let racing = WithoutPrefix(kernel: host.kernel, prefix: "/proc/4242/task/4271/stat")
    let facts = try #require(try QEMUReader(kernel: racing).process(of: Workstation.domain))
    #expect(facts.threads.count == 12)
  }

  @Test func tellsAProcessByItsStart() throws {
    let host = try Workstation()
    try host.add("proc/7000/stat\t7000 (a) b) c) S 1 7000 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0")
    let reader = ProcessReader(kernel: host.kernel)
    #expect(try reader.identity(of: 7000) == ProcessIdentity(pid: 7000, startTime: 77))
    #expect(try reader.identity(of: 7001) == nil)
    #expect(try reader.identity(of: -1) == nil)
  }
}
