import Bytes
import HostModel
internal import Recorded
import Support
import Testing

@testable import Facts

/// What is counted of a running domain, and what follows from two counts.
struct ObservationTests {
  @Test func countsTheColumnsOfTheCPUsThatAreOnline() {
    let table = """
                 CPU0       CPU2       CPU5
        0:         10          0          1   IO-APIC   2-edge      timer
       24:          5          7         20   PCI-MSIX-0000:41:00.0   0-edge      eth0
      LOC:       1000       2000       3000   Local timer interrupts
      RES:          1          2          4   Rescheduling interrupts
      CAL:          1          2          8   Function call interrupts
      TLB:          1          2         16   TLB shootdowns
      MCP:        999        999        999   Machine check polls
      ERR:          0
      """
    let counters = ObservationReader.interrupts(in: table, of: [2, 5, 7])
    #expect(counters.keys.sorted() == [2, 5])
    #expect(counters[5]?.devices == 21)
    #expect(counters[5]?.timer == 3000)
    #expect(counters[5]?.calls == 28)
    #expect(counters[2]?.devices == 7)
  }

  @Test(arguments: ["", "CPU0\n", "nonsense\n24: 1 2 3", "CPU0 CPU1\n24:\n: 1\n25: x y"])
  func countsNothingInATableThatIsNone(table: String) {
    for (_, counters) in ObservationReader.interrupts(in: table, of: [0, 1]) {
      #expect(counters == InterruptCounters())
    }
  }

  @Test func addsUpPagesByNodeAndSize() {
    let text = """
      7f0000000000 bind:1 file=/dev/hugepages/libvirt/qemu/1 huge dirty=64 N1=64 kernelpagesize_kB=2048
      7f1000000000 default anon=300 dirty=300 N0=100 N1=200 kernelpagesize_kB=4
      7f2000000000 default file=/lib/libc.so.6 mapped=10 N0=10 kernelpagesize_kB=4
      7f3000000000 default
      7f4000000000 default N0=-5 Nx=3 N2= kernelpagesize_kB=4
      """
    let memory = ObservationReader.memory(in: text)
    #expect(
      memory == [
        MemoryPlace(node: 0, pageKiB: 4, kiB: 440), MemoryPlace(node: 1, pageKiB: 4, kiB: 800),
        MemoryPlace(node: 1, pageKiB: 2048, kiB: 131_072),
      ])
  }

  private func counters(
    _ tid: Int, start: UInt64 = 1, cpus: CPUList = [4], ran: UInt64, waited: UInt64,
    preemptions: UInt64 = 0, migrations: UInt64? = nil
  ) -> ThreadCounters {
    ThreadCounters(
      thread: HostThread(pid: 1, tid: tid, startTime: start, role: .vcpu(tid)), name: "CPU",
      affinity: cpus, ran: ran, waited: waited, preemptions: preemptions, migrations: migrations)
  }

  @Test func tellsSharesOfTheTimeAndCountsPerSecond() throws {
    var before = Sample(moment: Deadline(nanoseconds: 5_000_000_000))
    before.threads = [counters(7, ran: 100, waited: 50, preemptions: 3, migrations: 10)]
    before.interrupts[4] = InterruptCounters()
    var after = Sample(moment: Deadline(nanoseconds: 7_000_000_000))
    after.threads = [
      counters(7, ran: 1_000_000_100, waited: 500_000_050, preemptions: 7, migrations: 10)
    ]
    var interrupts = InterruptCounters()
    interrupts.timer = 500
    after.interrupts[4] = interrupts
    let observation = Observation(from: before, to: after)
    let thread = try #require(observation.threads.first)
    #expect(observation.seconds == 2)
    #expect(abs(thread.ran - 0.5) < 1e-9 && abs(thread.waited - 0.25) < 1e-9)
    #expect(thread.preemptions == 2 && thread.migrations == 0)
    #expect(thread.interrupts?.timer == 250 && thread.interrupts?.devices == 0)
  }

  @Test func leavesThreadsOutThatCameOrWentOrGotTheNumberOfAnother() {
    var before = Sample(moment: Deadline(nanoseconds: 0))
    before.threads = [counters(1, ran: 0, waited: 0), counters(2, start: 5, ran: 9, waited: 0)]
    var after = Sample(moment: Deadline(nanoseconds: 1_000_000_000))
    after.threads = [counters(2, start: 6, ran: 1, waited: 0), counters(3, ran: 1, waited: 0)]
    #expect(Observation(from: before, to: after).threads.isEmpty)
  }

  @Test func hasNoRateOfNoTimeAndNoneOfACountThatWentBack() throws {
    var before = Sample(moment: Deadline(nanoseconds: 1))
    before.threads = [counters(1, cpus: [4, 5], ran: 100, waited: 0)]
    let same = Observation(from: before, to: before)
    #expect(same.threads.first?.ran == 0)
    var after = Sample(moment: Deadline(nanoseconds: 1_000_000_001))
    after.threads = [counters(1, cpus: [4, 5], ran: 50, waited: 0)]
    let observation = Observation(from: before, to: after)
    #expect(observation.threads.first?.ran == 0)
    #expect(observation.threads.first?.interrupts == nil, "of a thread with two CPUs")
  }

  @Test func readsTheThreadsOfARecordedQEMU() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    try host.add(
      """
      proc/4242/task/4260/schedstat\t1000 500 3
      proc/4242/task/4260/status\tName:\tCPU 0/KVM
      \tCpus_allowed_list:\t5
      \tvoluntary_ctxt_switches:\t12
      \tnonvoluntary_ctxt_switches:\t34
      proc/4242/task/4260/sched\tCPU 0/KVM (4260, #threads: 13)
      \tse.nr_migrations                            :                   56
      """)
    let process = try #require(try QEMUReader(kernel: host.kernel).process(of: Workstation.domain))
    let sample = try #require(try ObservationReader(kernel: host.kernel).sample(of: process))
    let vcpu = try #require(sample.threads.first { $0.thread.tid == 4260 })
    #expect(vcpu.ran == 1000 && vcpu.waited == 500)
    #expect(vcpu.preemptions == 34 && vcpu.migrations == 56)
    try host.stopGaming()
    #expect(try ObservationReader(kernel: host.kernel).sample(of: process) == nil)
  }

  @Test func saysThatAKernelCountsNothing() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    let process = try #require(try QEMUReader(kernel: host.kernel).process(of: Workstation.domain))
    for thread in process.threads {
      let path: HostPath = "/proc/\(thread.thread.pid)/task/\(thread.thread.tid)/schedstat"
      if host.kernel.exists(path) { try host.remove(path) }
    }
    let error = #expect(throws: HostError.self) {
      try ObservationReader(kernel: host.kernel).sample(of: process)
    }
    #expect(error?.diagnosis?.contains("CONFIG_SCHED_INFO") == true)
  }

  @Test func knowsTheNodesOfCPUs() throws {
    let host = try Workstation()
    let reader = ObservationReader(kernel: host.kernel)
    #expect(try reader.nodes(of: [5, 13]) == [1])
    #expect(try reader.nodes(of: [0, 5]) == [0, 1])
    #expect(try reader.nodes(of: [100]) == [])
  }

  @Test func addsUpWhatTheKernelPutTogether() throws {
    let host = try Workstation()
    try host.prepareAndStartGaming()
    let process = try #require(try QEMUReader(kernel: host.kernel).process(of: Workstation.domain))
    let reader = ObservationReader(kernel: host.kernel)
    #expect(try reader.transparentKiB(of: process.identity) == nil)
    try host.add(
      """
      proc/4242/smaps_rollup\tRss:\t100 kB
      \tAnonHugePages:     2048 kB
      \tShmemPmdMapped:    4096 kB
      """)
    #expect(try reader.transparentKiB(of: process.identity) == 6144)
  }
}
