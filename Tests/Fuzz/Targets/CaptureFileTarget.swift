internal import Formats
import HostModel

extension FuzzTarget {
  /// The file of a capture, as somebody hands it on: an archive, or the text of a host.
  static let captureFile = FuzzTarget(name: "capture") { bytes throws(BrokenPromise) in
    let host: RecordedHost
    do throws(HostError) {
      host = try CaptureFile.host(in: bytes, of: "file")
    } catch {
      try promise(error.place == "file", "each error names the file")
      return
    }
    let text = host.text
    for line in text.split(separator: "\n") where !line.hasPrefix("\t") {
      try promise(!line.hasPrefix("/") && !line.hasPrefix("../"), "no place leads out of the host")
    }
    let again = try rewritten(text)
    try promise(areSame(again.text, text), "the text of a host is read as that host")
    // Counters are for overlays, which are no captures.
    if text.contains(" += ") { return }
    let archive: RecordedHost
    do throws(HostError) {
      archive = try CaptureFile.host(in: try CaptureFile.bytes(of: host, for: "x.tar"), of: "file")
    } catch {
      // A text may name a place twice, which no archive does, and stand below its own links.
      return
    }
    try promise(areSame(archive.text, text), "an archive holds what the text says")
  }

  private static func rewritten(_ text: String) throws(BrokenPromise) -> RecordedHost {
    do throws(HostError) {
      return try RecordedHost(parsing: text, from: "file")
    } catch {
      throw BrokenPromise(description: "the text of a host cannot be read: \(error)")
    }
  }
}
