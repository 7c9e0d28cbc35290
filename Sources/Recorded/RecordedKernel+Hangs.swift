package import Bytes
internal import Glibc
package import HostModel
internal import Port

/// Files that do not answer, until a test says that they do.
///
/// - A write that hangs is left behind at its deadline, and is carried out once it ends.
/// - While an `unbind`, a `bind` or a probe hangs, it holds the lock of its device
///   (drivers/base/dd.c, `device_driver_detach()`, `device_driver_attach()`): what takes that lock
///   hangs as well, be it read or written (`BlockingReads`).
extension RecordedKernel {
  /// From now on, no write to a file comes back, nor a read of it; with the folder of a device,
  /// nothing that takes the device's lock does.
  package func hang(at path: HostPath) throws(HostError) {
    hangs.hold(try tree.resolved(path, for: .read))
  }

  /// Has what waits at a place end: writes that were left behind there take effect now.
  package func end(at path: HostPath) throws(HostError) {
    let place = try tree.resolved(path, for: .read)
    hangs.release(place)
    let ending = hangs.takeWaiting {
      $0.place == place || subject(of: $0.place, $0.text ?? "") == place
    }
    var devices: Set<HostPath> = [place]
    for child in ending {
      guard let device = subject(of: child.place, child.text ?? "") else { continue }
      hangs.release(device)
      devices.insert(device)
    }
    for child in ending + hangs.takeWaiting(where: { devices.contains($0.place.parent) }) {
      try tree.remove("/proc/\(child.pid)")
      guard let text = child.text else { continue }
      do throws(HostError) {
        try write(text, to: child.place)
      } catch {
        // Nobody is there to be told.
      }
    }
  }

  /// Lets time pass on the host's clock.
  package func pass(milliseconds: Int) {
    hangs.pass(until: now.advanced(byMilliseconds: milliseconds))
  }

  /// The device whose lock a write holds, or waits for.
  private func subject(of place: HostPath, _ text: String) -> HostPath? {
    let name = place.name
    if ["bind", "unbind", "drivers_probe"].contains(name), place.begins(with: "/sys/bus") {
      let bus = name == "drivers_probe" ? place.parent : place.parent.parent.parent
      return try? tree.resolved("\(bus)/devices/\(text.trimmed)", for: .read)
    }
    return BlockingReads.include(place) ? place.parent : nil
  }

  private func isHeld(_ place: HostPath, _ text: String) -> Bool {
    if hangs.held.isEmpty { return false }
    return hangs.held.contains(place)
      || subject(of: place, text).map(hangs.held.contains) ?? false
  }

  /// Leaves a write behind where nobody comes back.
  func leaveWhereHeld(
    _ text: String, _ place: HostPath, named path: HostPath, until deadline: Deadline
  ) throws(HostError) {
    let isHanging = try RecordedLimits(of: tree).value("hangs", of: place) != nil
    guard isHanging || isHeld(place, text) else { return }
    if let device = subject(of: place, text), device != place { hangs.hold(device) }
    let child = try leave(text, at: place)
    hangs.pass(until: deadline)
    throw timeOut(.write, path, text, child)
  }

  /// Leaves a read behind where nobody comes back.
  func leaveWhereHeld(_ path: HostPath, until deadline: Deadline) throws(HostError) {
    if hangs.held.isEmpty { return }
    let place = try tree.resolved(path, for: .read)
    guard isHeld(place, "") else { return }
    let child = try leave(nil, at: place)
    hangs.pass(until: deadline)
    throw timeOut(.read, path, nil, child)
  }

  /// The child is a process of the host for as long as it waits, in `TASK_UNINTERRUPTIBLE`.
  private func leave(_ text: String?, at place: HostPath) throws(HostError) -> Int {
    let pid = hangs.leave(text, at: place)
    let zeroes = Array(repeating: "0", count: 17).joined(separator: " ")
    try tree.create("\(pid) (berth) D 1 \(zeroes) \(pid) 0 0\n", at: "/proc/\(pid)/stat")
    return pid
  }

  private func timeOut(
    _ operation: HostOperation, _ path: HostPath, _ text: String?, _ child: Int
  ) -> HostError {
    var error = HostError(
      operation, path, value: text?.trimmed, errno: ETIMEDOUT,
      diagnosis: "the kernel does not come back; process \(child) waits there")
    error.leftBehind = child
    return error
  }
}
