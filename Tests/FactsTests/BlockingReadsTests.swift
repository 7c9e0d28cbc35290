import Bytes
import Port
import Testing

/// Reads that can be held up are told from the many that cannot.
struct BlockingReadsTests {
  @Test(
    arguments: [
      "/sys/bus/pci/devices/0000:41:00.0/driver_override",
      "/sys/devices/pci0000:40/0000:40:03.1/0000:41:00.0/driver_override",
      "/sys/bus/platform/devices/efi-framebuffer.0/driver_override",
      "/sys/bus/pci/devices/0000:41:00.0/sriov_numvfs",
      "/sys/bus/pci/devices/0000:41:00.0/resource1_resize",
      "/sys/class/vtconsole/vtcon1/bind",
      "/proc/driver/nvidia/gpus/0000:41:00.0/information",
      "/proc/4242/cmdline", "/proc/4242/environ", "/proc/4242/smaps_rollup", "/proc/42/numa_maps",
    ] as [HostPath])
  func aFileThatMayBeHeldUp(path: HostPath) { #expect(BlockingReads.include(path)) }

  @Test(
    arguments: [
      "/sys/bus/pci/devices/0000:41:00.0/reset_method",
      "/sys/bus/pci/devices/0000:41:00.0/sriov_totalvfs",
      "/sys/bus/pci/devices/0000:41:00.0/resource",
      "/sys/bus/pci/devices/0000:41:00.0/max_link_speed",
      "/sys/class/vtconsole/vtcon1/name", "/sys/bus/pci/drivers/vfio-pci/bind",
      "/proc/cmdline", "/proc/4242/stat", "/proc/4242/comm", "/proc/irq/42/smp_affinity_list",
      "/etc/driver_override", "/driver_override", "/", "/proc", "/proc/", "relative",
    ].map { HostPath(foreign: $0) })
  func aFileThatIsReadAsItIs(path: HostPath) { #expect(!BlockingReads.include(path)) }
}
