internal import Bytes
import Glibc

/// What an error number means where a kernel file refuses a write.
enum WriteRefusal {
  static func diagnosis(of number: Int32, at path: HostPath) -> String? {
    let file = path.name
    if path.begins(with: "/proc/irq"), file.begins(with: "smp_affinity") {
      return ofInterrupt(number)
    }
    if path.begins(with: "/sys/bus/pci") { return ofDriver(number, file) }
    if file.begins(with: "cpuset.") { return ofCpuset(number, file) }
    if file.begins(with: "nr_hugepages"), number == EINVAL {
      return "this kernel cannot allocate pages of this size while it runs"
    }
    if file == "sched_rt_runtime_us", number == EBUSY {
      return "deadline tasks have more time promised than that"
    }
    return nil
  }

  private static func ofInterrupt(_ number: Int32) -> String? {
    switch number {
    // EIO up to 6.8, EPERM since.
    case EIO, EPERM: "the kernel manages this interrupt itself"
    case EINVAL: "none of these CPUs is online"
    case ENOSPC: "these CPUs have no interrupt vector left"
    case ENOENT: "the interrupt is gone"
    default: nil
    }
  }

  private static func ofDriver(_ number: Int32, _ file: String) -> String? {
    switch (file, number) {
    case ("bind", ENODEV): "the driver does not take this device"
    case ("bind", EBUSY): "the device has a driver"
    case ("unbind", ENODEV): "the device is not bound to this driver"
    case ("drivers_probe", ENODEV): "there is no such device"
    default: nil
    }
  }

  private static func ofCpuset(_ number: Int32, _ file: String) -> String? {
    switch (file, number) {
    case ("cpuset.cpus", ENOSPC), ("cpuset.mems", ENOSPC):
      "the kernel does not empty a cpuset that has tasks"
    case ("cpuset.cpus", ERANGE), ("cpuset.cpus.exclusive", ERANGE):
      "there is no such CPU"
    case ("cpuset.cpus.exclusive", EINVAL):
      "a neighbouring cgroup has some of these CPUs for itself"
    default: nil
    }
  }
}
