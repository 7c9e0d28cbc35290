import Bytes
import Port
import Testing

@testable import Live

@Suite("files that end at a short read")
struct ShortReadsTests {
  @Test(
    "those of one record do",
    arguments: [
      "/proc/1/stat", "/proc/4242/task/4243/stat", "/proc/4242/task/4243/comm", "/proc/self/cgroup",
      "/proc/1/status", "/proc/1/schedstat", "/proc/meminfo", "/proc/irq/24/smp_affinity_list",
      "/proc/irq/default_smp_affinity", "/proc/sys/kernel/osrelease",
      "/sys/devices/system/cpu/online", "/sys/bus/pci/devices/0000:00:1f.0/class",
      "/sys/fs/cgroup/cpuset.cpus.effective", "/sys/fs/cgroup/a.slice/cpuset.cpus",
      "/sys/kernel/mm/ksm/run", "/sys/module/kvm/parameters/halt_poll_ns",
    ])
  func oneRecord(path: String) {
    #expect(ShortReads.end(HostPath(foreign: path)))
  }

  @Test(
    "of the others nothing is said",
    arguments: [
      "/proc/cpuinfo", "/proc/interrupts", "/proc/modules", "/proc/1/maps", "/proc/1/numa_maps",
      "/proc/1/cmdline", "/proc/1/environ", "/proc/1/mountinfo", "/proc/1/net/stat", "/proc/stat",
      "/proc/fs/stat", "/proc/1/task/stat", "/proc/1/task/2/net/stat", "/proc/1x/stat",
      "/proc//stat", "/proc/1/task//stat",
      "/proc/selfish/stat", "/proc/1/statm", "/proc/meminfo/x", "/proc/net/stat",
      "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/cpuset.slice/cgroup.threads",
      "/sys/kernel/debug/x", "/run/libvirt/qemu/web.pid", "/etc/passwd", "", "/", "stat",
    ])
  func others(path: String) {
    #expect(!ShortReads.end(HostPath(foreign: path)))
  }

  @Test("it gives the same as reading to the end")
  func sameText() throws {
    let kernel = LiveKernel()
    for path: HostPath in [
      "/proc/self/status", "/proc/meminfo", "/proc/sys/kernel/osrelease",
      "/sys/devices/system/cpu/online",
    ] {
      let text = try kernel.text(of: path)
      #expect(text.last == "\n", "\(path)")
      #expect(text.utf8.count < 4096)
    }
  }
}
