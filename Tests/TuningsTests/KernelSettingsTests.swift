import HostModel
import Testing

@testable import Tunings

/// Sysctls and attributes by policy: what becomes a claim, and what is explained instead.
struct KernelSettingsTests {
  private func plan(
    _ path: String, _ value: String, in text: String?, at place: String? = nil,
    kernel: KernelVersion = KernelVersion(major: 6, minor: 12)
  ) -> Plan {
    var policy = Policy()
    policy.settings = [Policy.Attribute(path: path, value: value)]
    var host = Sample.host
    host.kernel = kernel
    host.attributes = [AttributeFacts(asked: path, path: place ?? path, text: text)]
    return Sample.plan(KernelSettings(), policy: policy, on: host)
  }

  @Test func readsWhatPolicyNamesBeforeTheStartAndNothingElse() {
    var policy = Policy()
    #expect(Sample.needs(KernelSettings(), .prepare, policy: policy) == FactNeeds())
    policy.settings = [Policy.Attribute(path: "/proc/sys/vm/swappiness", value: "10")]
    policy.cpu.hasWatchdog = false
    let needs = Sample.needs(KernelSettings(), .prepare, policy: policy)
    #expect(needs.attributes == ["/proc/sys/vm/swappiness", "/proc/sys/kernel/watchdog_cpumask"])
    for phase in Phase.allCases where phase != .prepare {
      #expect(Sample.needs(KernelSettings(), phase, policy: policy) == FactNeeds())
      #expect(Sample.plan(KernelSettings(), phase, policy: policy) == Plan(phase: phase))
    }
  }

  /// The place, what it holds, what is asked for, and the claim.
  @Test(
    arguments: [
      ("/proc/sys/vm/swappiness", "60", "10", .exactly(.text("10"))),
      ("/proc/sys/kernel/numa_balancing", "1", "0", .exactly(.text("0"))),
      ("/proc/sys/vm/swappiness", "60", "0x10", .exactly(.text("16"))),
      ("/sys/kernel/mm/lru_gen/enabled", "0x0007", "n", .exactly(.text("0x0000"))),
      ("/sys/kernel/mm/lru_gen/enabled", "0x0000", "5", .exactly(.text("0x0005"))),
      (
        "/sys/devices/system/cpu/cpu4/power/energy_perf_bias", "6", "performance",
        .exactly(.text("0"))
      ),
      ("/proc/sys/kernel/unprivileged_bpf_disabled", "2", "0", .exactly(.text("0"))),
      ("/proc/sys/kernel/yama/ptrace_scope", "0", "1", .exactly(.text("1"))),
      ("/proc/sys/kernel/timer_migration", "1", "0", .exactly(.text("0"))),
      ("/proc/sys/vm/stat_interval", "1", "120", .atLeast(120)),
      ("/sys/kernel/mm/ksm/pages_to_scan", "100", "10", .atMost(10)),
      ("/sys/kernel/mm/ksm/sleep_millisecs", "20", "500", .atLeast(500)),
      ("/sys/kernel/mm/ksm/run", "1", "0", .exactly(.text("0"))),
      ("/sys/module/kvm/parameters/halt_poll_ns", "200000", "0", .exactly(.text("0"))),
      ("/sys/module/kvm/parameters/ignore_msrs", "N", "1", .exactly(.text("Y"))),
      ("/sys/module/kvm/parameters/ignore_msrs", "Y", "0", .exactly(.text("N"))),
      (
        "/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never", "never",
        .exactly(.text("never"))
      ),
      (
        "/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456", "4096 1 2",
        .exactly(.text("4096\t1\t2"))
      ),
    ] as [(String, String, String, Claim)])
  func becomesAClaim(path: String, text: String, value: String, claim: Claim) {
    let plan = plan(path, value, in: text)
    #expect(plan.changes.map(\.claim) == [claim])
    #expect(plan.changes.allSatisfy { !$0.isRequired && $0.reason.contains("win10") })
    #expect(plan.warnings == [])
    let isSelection = text.contains("[")
    #expect(
      plan.changes.map(\.setting) == [.attribute(path: path, isSelection ? .selection : .text)])
  }

  /// The place, what it holds, what is asked for, and a part of the explanation.
  @Test(
    arguments: [
      ("/proc/sys/vm/compaction_proactiveness", "20", "0", "compact the memory of all nodes"),
      ("/proc/sys/vm/drop_caches", "0", "3", "a request and no value"),
      ("/proc/sys/vm/stat_interval", "1", "0", "without a pause"),
      ("/proc/sys/vm/nr_hugepages", "0", "100", "hugepages.reserve keeps account"),
      ("/proc/sys/kernel/sched_rt_runtime_us", "950000", "-1", "from Linux 6.12 on"),
      ("/sys/kernel/mm/ksm/run", "1", "2", "may run out of memory"),
      ("/sys/kernel/mm/ksm/merge_across_nodes", "1", "0", "(EBUSY), so it could not be given back"),
      ("/sys/module/kvm/parameters/nx_huge_pages", "Y", "N", "page tables of every VM"),
      ("/sys/module/zfs/parameters/zfs_arc_max", "0", "1", "cannot be put back"),
      ("/sys/devices/system/cpu/cpu3/online", "1", "0", "do not come back"),
      ("/sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "a", "b", "the keys cpu.*"),
      ("/sys/devices/system/cpu/intel_pstate/no_turbo", "0", "1", "the keys cpu.*"),
      (
        "/sys/kernel/mm/transparent_hugepage/enabled", "[always] never", "no",
        "it offers no “no”, only always, never"
      ),
      ("/sys/module/kvm/parameters/ignore_msrs", "N", "7", "it holds Y or N, not “7”"),
      ("/proc/sys/vm/odd", nil, "1", "it cannot be read"),
      ("/proc/sys/vm/swappiness", "60", "010", "it takes a number such as 7, not “010”"),
      ("/sys/kernel/mm/lru_gen/enabled", "0x0007", "y", "it takes a number such as 7, not “y”"),
      ("/proc/sys/kernel/yama/ptrace_scope", "1", "3", "until the next boot"),
      ("/proc/sys/kernel/unprivileged_bpf_disabled", "2", "1", "until the next boot"),
      ("/proc/sys/kernel/kexec_load_limit_panic", "5", "1", "until the next boot"),
      ("/proc/sys/kernel/tainted", "0", "64", "until the next boot"),
      ("/sys/module/module/parameters/sig_enforce", "N", "1", "until the next boot"),
      ("/sys/devices/system/cpu/smt/control", "on", "off", "it takes CPUs offline"),
      ("/proc/sys/net/ipv4/ip_forward", "0", "1", "every interface the same value"),
      ("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "0", "1", "loses its addresses"),
      ("/proc/sys/kernel/perf_event_max_sample_rate", "100000", "1", "changes it by itself"),
      ("/sys/kernel/mm/ksm/advisor_mode", "[none] scan-time", "scan-time", "pages_to_scan"),
    ] as [(String, String?, String, String)])
  func isExplainedInsteadOfDone(path: String, text: String?, value: String, words: String) {
    let plan = plan(path, value, in: text)
    #expect(plan.changes.isEmpty)
    #expect(plan.warnings.count == 1)
    #expect(plan.warnings.allSatisfy { $0.hasPrefix("\(path) is left alone: ") })
    #expect(plan.warnings.allSatisfy { $0.contains(words) }, "\(plan.warnings)")
  }

  /// What reads, what is asked for, and what is claimed, or why nothing is.
  @Test(
    arguments: [
      (
        ["vm.dirty_bytes": "0", "vm.dirty_ratio": "20"], ["vm.dirty_bytes": "268435456"],
        "vm.dirty_bytes=268435456"
      ),
      (
        ["vm.dirty_bytes": "0", "vm.dirty_ratio": "20"], ["vm.dirty_ratio": "10"],
        "vm.dirty_ratio=10"
      ),
      (
        ["vm.dirty_bytes": "0", "vm.dirty_ratio": "20"],
        ["vm.dirty_bytes": "0", "vm.dirty_ratio": "10"], "vm.dirty_ratio=10"
      ),
      (
        ["vm.dirty_bytes": "0", "vm.dirty_ratio": "20"], ["vm.dirty_ratio": "0"],
        "vm.dirty_ratio=0"
      ),
      (
        ["vm.dirty_bytes": "0", "vm.dirty_ratio": "20"], ["vm.dirty_bytes": "0"],
        "0 there says only that vm.dirty_ratio counts"
      ),
      (
        ["vm.dirty_bytes": "0", "vm.dirty_ratio": "20"],
        ["vm.dirty_bytes": "8192", "vm.dirty_ratio": "10"], "only one of them counts"
      ),
      (
        ["vm.dirty_bytes": "0", "vm.dirty_ratio": "20"], ["vm.dirty_ratio": "a"],
        "it takes a number, not “a”"
      ),
      (
        ["vm.overcommit_ratio": "50"], ["vm.overcommit_kbytes": "1"],
        "this kernel has no vm.overcommit_kbytes"
      ),
      (
        ["kernel.watchdog": "1", "kernel.nmi_watchdog": "1", "kernel.soft_watchdog": "1"],
        ["kernel.nmi_watchdog": "0"],
        "kernel.watchdog=1 kernel.nmi_watchdog=0 kernel.soft_watchdog=1"
      ),
      (
        ["kernel.watchdog": "1", "kernel.soft_watchdog": "1"], ["kernel.soft_watchdog": "0"],
        "kernel.watchdog=0 kernel.soft_watchdog=0"
      ),
      (
        ["kernel.watchdog": "1", "kernel.nmi_watchdog": "0", "kernel.soft_watchdog": "1"],
        ["kernel.watchdog": "0", "kernel.nmi_watchdog": "1"],
        "kernel.watchdog=0 kernel.nmi_watchdog=0 kernel.soft_watchdog=0"
      ),
    ] as [([String: String], [String: String], String)])
  func whatTheKernelChangesTogetherIsOneClaim(
    reads: [String: String], wishes: [String: String], words: String
  ) {
    var policy = Policy()
    policy.settings = wishes.sorted { $0.key < $1.key }.map {
      Policy.Attribute(path: Coupling.path(of: $0.key), value: $0.value)
    }
    var host = Sample.host
    host.attributes = reads.map {
      let path = Coupling.path(of: $0.key)
      return AttributeFacts(asked: path, path: path, text: $0.value)
    }
    let needs = Sample.needs(KernelSettings(), .prepare, policy: policy).attributes
    #expect(Set(needs).isSuperset(of: reads.keys.map(Coupling.path(of:))))
    #expect(needs.count == Set(needs).count)
    let plan = Sample.plan(KernelSettings(), policy: policy, on: host)
    if plan.warnings.isEmpty {
      #expect(plan.changes.map(\.claim) == [.exactly(.text(words))])
    } else {
      #expect(plan.changes.isEmpty && plan.warnings.count == 1)
      #expect(plan.warnings.allSatisfy { $0.contains(words) }, "\(plan.warnings)")
    }
  }

  @Test func olderKernelsTakeTheLimitOfRealTimeTasks() {
    let plan = plan(
      "/proc/sys/kernel/sched_rt_runtime_us", "-1", in: "950000",
      kernel: KernelVersion(major: 6, minor: 8))
    #expect(plan.changes.map(\.claim) == [.exactly(.text("-1"))])
  }

  @Test func aPlaceIsKnownByItsPathWithoutLinks() {
    let asked = "/sys/devices/system/cpu/cpu4/cpufreq/scaling_max_freq"
    let place = "/sys/devices/system/cpu/cpufreq/policy4/scaling_max_freq"
    #expect(
      plan(asked, "3000000", in: "4200000", at: place).changes.map { "\($0.setting)" } == [place])
  }

  @Test func aLinkThatLeavesTheAllowedPlacesIsNotFollowed() {
    let path = "/sys/devices/system/cpu/cpu4/node1/compact"
    let plan = plan(path, "1", in: "", at: "/sys/devices/system/node/node1/compact")
    #expect(plan.changes.isEmpty)
    #expect(
      plan.warnings.count == 1 && plan.warnings[0].contains("it leads to /sys/devices/system/n"))
  }

  @Test func whatTheKernelLacksIsSaid() {
    var policy = Policy()
    policy.settings = [Policy.Attribute(path: "/proc/sys/vm/x", value: "1")]
    #expect(
      Sample.plan(KernelSettings(), policy: policy).warnings == [
        "/proc/sys/vm/x is left alone: this kernel has no such file"
      ])
  }

  @Test(arguments: [
    ("/proc/sys/vm/swappiness", true), ("/sys/module/kvm/parameters/halt_poll_ns", true),
    ("/sys/kernel/mm/ksm/run", true), ("/sys/devices/system/cpu/smt/control", true),
    ("/proc/sys", false), ("/proc/sys/", false), ("/proc/sys/vm/../../1/mem", false),
    ("/proc/sys/./vm/x", false), ("/proc/sysrq-trigger", false), ("/sys/module/kvm/refcnt", false),
    ("/sys/module/a/b/parameters/x", false), ("/sys/kernel/mm", false), ("/etc/passwd", false),
    ("/sys/kernel/mmx/y", false), ("proc/sys/vm/swappiness", false), ("/proc/sys/vm/a b", false),
    ("/proc//sys/vm/x", false), ("/sys/devices/system/node/node0/compact", false), ("", false),
  ])
  func onlyPlacesBelowTheRootsAreAllowed(path: String, isAllowed: Bool) {
    #expect(Policy.Attribute.isAllowed(path) == isAllowed)
  }

  @Test func theWatchdogLeavesTheCPUsOfTheVCPUs() {
    var policy = Policy()
    policy.cpu.hasWatchdog = false
    var host = Sample.host
    #expect(Sample.plan(KernelSettings(), policy: policy, on: host).warnings.count == 1)
    let path = "/proc/sys/kernel/watchdog_cpumask"
    host.attributes = [AttributeFacts(asked: path, path: path, text: "0-15")]
    let plan = Sample.plan(KernelSettings(), policy: policy, on: host)
    #expect(plan.changes.map(\.setting) == [.attribute(path: path, .cpuList)])
    #expect(plan.changes.map(\.claim) == [.withoutCPUs([4, 12], all: CPUList(0...15))])
    var domain = Sample.domain
    domain.vcpuPins = [:]
    #expect(
      Sample.plan(KernelSettings(), domain: domain, policy: policy, on: host).warnings.count == 1)
  }
}
