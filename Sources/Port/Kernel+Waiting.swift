internal import Bytes
package import HostModel

extension Kernel {
  /// Waits until a condition holds, which changes without a word, or the deadline passes.
  package func wait(
    until deadline: Deadline, _ holds: () throws(HostError) -> Bool
  ) throws(HostError) {
    var pause = 1
    while try !holds(), now < deadline {
      self.pause(milliseconds: pause)
      pause = min(pause * 2, 50)
    }
  }

  /// Waits a bounded while until udev has dealt with functions that are new; it loads the drivers
  /// that take them.
  ///
  /// udev writes down each device that it has seen, and keeps a file for as long as anything is left
  /// to do (udevadm(8), `settle`). Without udev there is nothing to wait for.
  package func waitForUdev(toSee functions: [PCIAddress], until deadline: Deadline)
    throws(HostError)
  {
    guard exists("/run/udev/control") else { return }
    let patience = min(deadline, now.advanced(byMilliseconds: 10_000))
    // Of a device of which udev knows nothing it writes nothing down.
    try wait(until: min(patience, now.advanced(byMilliseconds: 1_000))) { () throws(HostError) in
      functions.allSatisfy { exists("/run/udev/data/+pci:\($0)") }
    }
    try wait(until: patience) { () throws(HostError) in !exists("/run/udev/queue") }
  }
}
