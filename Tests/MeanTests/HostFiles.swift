import Bytes
import Formats
import Glibc
import HostModel
import Port
import Recorded

/// The small host in a folder that many histories use one after the other: between two, what the last
/// one left otherwise is put back.
final class HostFiles {
  let root: String
  let kernel: RecordedKernel
  let systemd: RecordedSystemd
  /// What stands in each file and link of the host.
  let original: [HostPath: String]
  private let paths: [HostPath]

  init() throws {
    let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(folder)/berth-mean-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else { throw HostError(.write, folder, errno: errno) }
    root = String(cString: path)
    kernel = RecordedKernel(root: root)
    systemd = RecordedSystemd(of: kernel)
    try RecordedHost(parsing: SmallHost.text, from: "small host").unpack(into: root)
    original = try Self.contents(of: kernel)
    paths = original.keys.sorted()
  }

  deinit {
    // What a test leaves behind when this fails is of no further use.
    try? RecordedHost.erase(root)
  }

  func add(_ lines: String) throws(HostError) {
    try RecordedHost.apply(overlay: RecordedHost(parsing: lines, from: "mean"), to: root)
  }

  func remove(_ lines: String) throws(HostError) {
    try RecordedHost.remove(overlay: RecordedHost(parsing: lines, from: "mean"), from: root)
  }

  /// Files that say the same as the list beside them.
  private static let follows = ["smp_affinity", "effective_affinity_list", "success", "state"]

  /// What stands otherwise than it did at first, or than somebody else wants it, by its place.
  func differences(wanted: [HostPath: String]) throws -> [String] {
    var differences: [String] = []
    for path in paths where !Self.follows.contains(path.name) {
      let now = Self.value(at: path, kernel)
      let due = wanted[path] ?? original[path]
      if now != due { differences.append("\(path): \(due ?? "-") is \(now ?? "-")") }
    }
    for place in ["/recorded/units", "/run/systemd/system.control", "/run/systemd/transient"]
      as [HostPath]
    {
      for name in (try? kernel.entries(of: place)) ?? []
      where original["\(place)/\(name)"] == nil && !isOfPastScope(name) {
        differences.append("\(place)/\(name) is there")
      }
    }
    return differences
  }

  /// Whether systemd has taken a folder of drop-ins away with the scope that it was for.
  private func isOfPastScope(_ folder: String) -> Bool {
    guard let scope = folder.cutLast(at: "."), scope.head.ends(with: ".scope") else { return false }
    return !["machine.slice", "qemu.slice", ""].contains {
      kernel.exists(HostPath(foreign: "/sys/fs/cgroup/\($0)/\(scope.head)"))
    }
  }

  /// Puts back what people have changed; false where the host is not as it was then.
  func reset() throws -> Bool {
    for path in paths where Self.value(at: path, kernel) != original[path] {
      if let value = original[path] { try kernel.write(value, to: path) }
    }
    return try differences(wanted: [:]).isEmpty
  }

  private static func value(at path: HostPath, _ kernel: RecordedKernel) -> String? {
    if let target = try? kernel.destination(of: path) { return "-> \(target)" }
    // How wide a column is, is of no account.
    let text = (try? kernel.text(of: path))?.fields(atAnyOf: " ", "\t", "\n").joined(separator: " ")
    // Once set, the list cannot be emptied while tasks are in the group: it names all CPUs.
    return path.name == "cpuset.cpus" && text == SmallHost.allCPUs ? "" : text
  }

  private static func contents(of kernel: RecordedKernel) throws -> [HostPath: String] {
    var found: [HostPath: String] = [:]
    func look(_ path: HostPath) throws {
      for name in try kernel.entries(of: path) {
        let place: HostPath = path == "/" ? "/\(name)" : "\(path)/\(name)"
        if let value = value(at: place, kernel) {
          found[place] = value
        } else {
          try look(place)
        }
      }
    }
    try look(.root)
    return found
  }
}
