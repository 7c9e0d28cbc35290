internal import ArgumentParser
internal import Capture
internal import Formats
internal import HostModel

struct CaptureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture",
    abstract: "Record what Berth reads of this host, for --root of every command.",
    discussion: """
      The record is an archive that “tar --zstd -tf FILE” lists; with a name that ends in .host it \
      is text. MAC and IP addresses, serial numbers, UUIDs of disks, the host's name, passwords and \
      paths of images are left out, as are processes that Berth has nothing to do with. Names of \
      VMs, interfaces and units stay in it, and so does /etc/berth/berth.toml.

      EXAMPLES
        sudo berth capture host.tar.zst
        berth topology --root host.tar.zst
        berth plan win10 --root host.tar.zst
        berth replay win10 prepare --root host.tar.zst
        berth recorded unpack host.tar.zst /tmp/host
      """)

  @Argument(help: "The file to make: .tar.zst, .tar, or .host for text.")
  var file: String

  @Flag(
    help: "Keep MAC addresses, serial numbers, UUIDs of disks and the host's name in it, too.")
  var withIdentities = false

  @OptionGroup var options: HostOptions

  func validate() throws {
    guard [".tar.zst", ".tar", ".host"].contains(where: file.hasSuffix) else {
      throw ValidationError("“\(file)” ends in none of .tar.zst, .tar and .host")
    }
  }

  func run() throws {
    let host = try options.host
    var capture = HostCapture(kernel: host.kernel, units: host.systemd)
    capture.keepsIdentities = withIdentities
    let record = try capture.record()
    let bytes = try CaptureFile.bytes(of: record.host, for: file)
    // What is in it is the administrator's to show to others.
    try OutputFile(file).replace(bytes, mode: 0o600)
    let report = CaptureReport(record, in: file, bytes: bytes.count, whole: withIdentities)
    try options.print(report, lines: report.lines)
  }
}
