internal import Bytes

/// Which files of the kernel's end where a read(2) of 4096 bytes gives less.
///
/// A seq_file with one record gives all of it, or as much as was asked for. One with several gives
/// those that its buffer of a page has room for, so that more may follow a short read
/// (fs/seq_file.c, `seq_read_iter()`). Of one record are:
///
/// - the attributes of sysfs; the binary ones, which lists of CPUs are, too, give what was asked for
///   as well (fs/kernfs/file.c, `kernfs_seq_next()`, `kernfs_file_read_iter()`);
/// - in cgroupfs the files without a `seq_start`, all of the cpuset controller's among them
///   (kernel/cgroup/cgroup.c, `cgroup_init_cftypes()`);
/// - of a task what comes from `ONE()` or `single_open()` (fs/proc/base.c), the files of interrupts
///   (kernel/irq/proc.c), and `meminfo`.
///
/// What is below `/proc/sys` gives nothing but from its beginning on (kernel/sysctl.c).
enum ShortReads {
  static func end(_ path: HostPath) -> Bool {
    let path = path.cString.span.extracting(droppingLast: 1)
    let name = (path.lastIndex(of: UInt8(ascii: "/")) ?? 0) + 1
    if path.has("/proc/", at: 0) {
      return path.has("sys/", at: 6) || path.has("irq/", at: 6)
        || path.isNamed("meminfo", at: 6) || isOfTask(path, name)
    }
    if path.has("/sys/fs/cgroup/", at: 0) { return path.has("cpuset.", at: name) }
    return path.has("/sys/devices/", at: 0) || path.has("/sys/bus/", at: 0)
      || path.has("/sys/class/", at: 0) || path.has("/sys/module/", at: 0)
      || path.has("/sys/kernel/mm/", at: 0)
  }

  /// Whether the path is `/proc/PID/NAME` or `/proc/PID/task/TID/NAME`.
  private static func isOfTask(_ path: Span<UInt8>, _ name: Int) -> Bool {
    guard
      path.isNamed("stat", at: name) || path.isNamed("status", at: name)
        || path.isNamed("comm", at: name) || path.isNamed("cgroup", at: name)
        || path.isNamed("schedstat", at: name)
    else { return false }
    var place = 6
    if path.has("self/", at: place) { return place + 5 == name }
    guard passesNumber(in: path, &place) else { return false }
    if path.has("/task/", at: place) {
      place += 6
      guard passesNumber(in: path, &place) else { return false }
    }
    return place + 1 == name
  }

  /// Goes on to what follows a number; false where there is none.
  private static func passesNumber(in path: Span<UInt8>, _ place: inout Int) -> Bool {
    let start = place
    while place < path.count, path[place].isDigit { place += 1 }
    return place > start
  }
}

extension Span<UInt8> {
  /// Whether these bytes, and no more, stand from a place on.
  fileprivate func isNamed(_ name: StaticString, at place: Int) -> Bool {
    place + name.utf8CodeUnitCount == count && has(name, at: place)
  }
}
