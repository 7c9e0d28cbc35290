/// Why Proxmox, or the QEMU that it runs, will end a machine's start by itself.
package struct ProxmoxRefusal: Hashable, Sendable {
  package enum Speaker: String, Hashable, Sendable {
    case proxmox = "Proxmox"
    case qemu = "QEMU"
  }

  package var speaker: Speaker
  /// What it says, in its own words.
  package var words: String
  /// The line that puts it right.
  package var fix: String
  /// Whether it is about a device that may be there by the time of the start, such as a virtual function.
  package var mayPass = false

  package init(
    _ words: String, by speaker: Speaker = .proxmox, fix: String, mayPass: Bool = false
  ) {
    self.words = words
    self.speaker = speaker
    self.fix = fix
    self.mayPass = mayPass
  }
}
