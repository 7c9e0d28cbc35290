import HostModel

extension HostUses {
  /// The processes that hold a device file of a display controller open.
  ///
  /// Unbinding a GPU under its clients hangs in the driver of NVIDIA, and takes the screen from
  /// under a session with the others. All of `/proc` is searched for it, so that this is done for
  /// display controllers only (class 0x03).
  func openDisplays() throws(HostError) -> [String] {
    if function.classCode >> 16 != 0x03 { return [] }
    let files = try displayFiles()
    if files.isEmpty { return [] }

    var uses: [String] = []
    for entry in try kernel.entries(of: "/proc") {
      guard let pid = Int(entry), let file = openFile(of: pid, among: files) else { continue }
      let name = (try? kernel.word(of: "/proc/\(pid)/comm")) ?? "?"
      uses.append("\(file) is open in \(name) (process \(pid))")
    }
    return uses
  }

  private func displayFiles() throws(HostError) -> [String] {
    var files: [String] = []
    for name in try kernel.entriesIfPresent(of: "\(device)/drm") {
      if name.number(after: "card") != nil || name.number(after: "renderD") != nil {
        files.append("/dev/dri/\(name)")
      }
    }
    // NVIDIA's own device files carry a number that only its driver tells.
    let information = "/proc/driver/nvidia/gpus/\(function.address)/information"
    for line in try (kernel.wordIfPresent(of: information) ?? "").split(separator: "\n")
    where line.hasPrefix("Device Minor:") {
      files.append("/dev/nvidia\(line.dropFirst("Device Minor:".count).trimmed)")
    }
    return files
  }

  /// The first of the files that a process has open.
  ///
  /// A process that ends meanwhile, or that may not be looked into, has none.
  private func openFile(of pid: Int, among files: [String]) -> String? {
    let descriptors = (try? kernel.entries(of: "/proc/\(pid)/fd")) ?? []
    for descriptor in descriptors {
      if let path = try? kernel.destination(of: "/proc/\(pid)/fd/\(descriptor)"),
        files.contains(path)
      {
        return path
      }
    }
    return nil
  }
}
