internal import Bytes
internal import HostModel
internal import Port

/// A file of sysfs, procfs or cgroupfs that holds one value.
struct AttributePlace: Place {
  let kernel: any Kernel
  let path: HostPath
  let format: AttributeFormat

  func read(until deadline: Deadline) throws(HostError) -> Value {
    let text = try kernel.text(of: path).trimmed
    switch format {
    case .text: return .text(text)
    case .selection: return .text(Self.selected(in: text))
    case .cpuList:
      return .cpus(try list(text) { text throws(CPUListError) in try CPUList(parsing: text) })
    case .cpuMask:
      return .cpus(try list(text) { text throws(CPUListError) in try CPUList(parsingMask: text) })
    }
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    switch (value, format) {
    // A newline, as a write of no bytes never reaches the file's own code in the kernel.
    case (.text(let text), .text), (.text(let text), .selection):
      try kernel.write(text.isEmpty ? "\n" : text, to: path)
    case (.cpus(let cpus), .cpuList):
      try kernel.write(cpus.isEmpty ? "\n" : "\(cpus)", to: path)
    case (.cpus(let cpus), .cpuMask): try kernel.write(cpus.mask, to: path)
    default: throw unsupported(value, at: path)
    }
  }

  /// The word in brackets: `madvise` of `always [madvise] never`.
  static func selected(in text: String) -> String {
    text.cut(at: "[")?.tail.cut(at: "]").map { String($0.head) } ?? text
  }

  private func list(
    _ text: String, _ parse: (String) throws(CPUListError) -> CPUList
  ) throws(HostError) -> CPUList {
    do throws(CPUListError) {
      return try parse(text)
    } catch {
      throw HostError(
        .read, path, errno: ErrorNumber.invalid.number, diagnosis: error.description)
    }
  }
}
