internal import Bytes
internal import Capture
internal import Formats
internal import HostModel

/// What a capture holds, and what not.
struct CaptureReport: Encodable {
  var file: String
  var bytes: Int
  var files: Int
  var links: Int
  var folders: Int
  /// What is never in it.
  var leftOut: [String]
  /// What could not be read, each as a sentence.
  var unread: [String]
}

extension CaptureReport {
  init(_ record: HostCapture.Result, in file: String, bytes: Int, whole: Bool) {
    self.init(
      file: file, bytes: bytes, files: record.host.files, links: record.host.links,
      folders: record.host.folders, leftOut: Self.leftOut(whole: whole),
      unread: record.failures.map { "\($0)" })
  }

  private static func leftOut(whole: Bool) -> [String] {
    let identities = ["MAC addresses", "serial numbers", "UUIDs of disks", "the host's name"]
    return (whole ? [] : identities) + [
      "IP addresses", "passwords", "paths of images", "what else is in a VM's configuration",
      "other processes", "most of the kernel's command line",
    ]
  }

  /// How many of what could not be read are shown.
  private static let shown = 5

  var lines: [Text] {
    let kiB = (bytes + 1023) / 1024
    var lines = [
      Text(file, .bold) + ": \(counted(files, "file")), \(counted(links, "link")), "
        + "\(counted(folders, "folder")) in \(kiB) KiB"
    ]
    lines.append("left out: \(leftOut.joined(separator: ", "))")
    lines += unread.prefix(Self.shown).map { Text("not recorded: \($0)", .yellow) }
    if unread.count > Self.shown {
      lines.append("and \(unread.count - Self.shown) more that could not be read")
    }
    lines.append(
      file.ends(with: ".host")
        ? "It is text: look through it before you hand it on."
        : "Look through it before you hand it on: tar -tf \(file) lists it, -xOf shows it.")
    return lines
  }
}
