package import Bytes

/// Folders of the kernel that more than one room looks into.
package enum KernelPath {
  /// The masks of CPUs of work that is bound to none, one folder for each workqueue and one of all.
  package static let workqueues: HostPath = "/sys/devices/virtual/workqueue"
  /// The drivers of text consoles, one folder for each.
  package static let consoles: HostPath = "/sys/class/vtconsole"
}
