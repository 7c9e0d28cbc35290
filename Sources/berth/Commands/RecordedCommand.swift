internal import ArgumentParser
internal import Formats
internal import Glibc
internal import HostModel
internal import Recorded

struct RecordedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recorded",
    abstract: "Unpack a recorded host, and let a recorded QEMU come and go on it.",
    discussion: """
      EXAMPLES
        berth recorded unpack Tests/Hosts/two-node-workstation.host /tmp/host
        berth recorded unpack host.tar.zst /tmp/host
        berth recorded enter Tests/Hosts/two-node-workstation.gaming.host /tmp/host
        berth replay gaming started --libvirt Tests/Hosts/gaming.xml --root /tmp/host
        berth recorded leave Tests/Hosts/two-node-workstation.gaming.host /tmp/host
      """)

  enum Action: String, ExpressibleByArgument {
    case unpack
    case enter
    case leave
  }

  @Argument(help: "unpack a host, or let a VM enter or leave.")
  var action: Action

  @Argument(
    help: "The recording: a .host file, or a capture.",
    completion: .file(extensions: ["host", "zst", "tar"]))
  var file: String

  @Argument(help: "The folder of the recorded host.", completion: .directory)
  var folder: String

  func run() throws {
    let recording = try CaptureFile.host(at: file)
    switch action {
    case .unpack:
      guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
        throw HostError(.write, folder, errno: errno)
      }
      try recording.unpack(into: folder)
    case .enter: try RecordedHost.apply(overlay: recording, to: folder)
    case .leave: try RecordedHost.remove(overlay: recording, from: folder)
    }
  }
}
