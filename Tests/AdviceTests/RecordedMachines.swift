import Facts
import Formats
import Glibc
import HostModel
import Recorded

/// The hosts of `Tests/Hosts`, as they were recorded.
enum RecordedMachines {
  /// Ascending by name; a record of what a domain adds to a host has two dots in its name.
  static let result: Result<[Machine], any Error> = Result {
    let files = try names().filter { $0.hasSuffix(".host") && $0.count(where: { $0 == "." }) == 1 }
    return try files.sorted().map { try machine("\(folder)/\($0)", named: $0) }
  }

  private static let folder =
    "/" + (#filePath.split(separator: "/").dropLast(2) + ["Hosts"]).joined(separator: "/")

  private static func names() throws -> [String] {
    guard let directory = opendir(folder) else { throw HostError(.list, folder, errno: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names
  }

  private static func machine(_ file: String, named name: String) throws -> Machine {
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/berth-advice-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else { throw HostError(.write, parent, errno: errno) }
    let root = String(cString: path)
    defer {
      // What is left behind when this fails is of no further use.
      try? RecordedHost.erase(root)
    }
    try RecordedHost(at: file).unpack(into: root)
    return Machine(
      name, topology: try TopologyReader(kernel: RecordedKernel(root: root)).topology())
  }
}
