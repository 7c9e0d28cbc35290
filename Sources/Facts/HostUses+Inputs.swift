internal import Bytes
import HostModel
internal import Port

extension HostUses {
  /// Keyboards and mice behind a USB controller, each once.
  ///
  /// A table that does not answer keeps nobody from being told of disks.
  func inputs() -> [HostUse] {
    guard PCIClass.isUSBController(function.classCode),
      let table = try? kernel.text(of: "/proc/bus/input/devices")
    else { return [] }
    var uses: [HostUse] = []
    for device in InputDevice.table(table) where device.isBelow(function.address) {
      guard let kind = device.kind else { continue }
      let use = HostUse("the host's \(kind)\(device.name.map { " “\($0)”" } ?? "")", .convenience)
      if !uses.contains(use) { uses.append(use) }
    }
    return uses
  }
}

/// A device of `/proc/bus/input/devices` (drivers/input/input.c, `input_devices_seq_show()`).
private struct InputDevice {
  var name: String?
  private var path = ""
  private var handlers: [Substring] = []
  private var keys: Bits?

  /// The devices of the table, which an empty line ends each.
  static func table(_ text: String) -> [InputDevice] {
    var devices: [InputDevice] = []
    var device = InputDevice()
    for line in text.fields(at: "\n", keepingEmpty: true) {
      if line.isEmpty {
        devices.append(device)
        device = InputDevice()
      } else if let name = line.rest(after: "N: Name=\"")?.rest(before: "\"") {
        device.name = String(name)
      } else if let path = line.rest(after: "S: Sysfs=") {
        device.path = String(path)
      } else if let handlers = line.rest(after: "H: Handlers=") {
        device.handlers = handlers.fields(at: " ")
      } else if let keys = line.rest(after: "B: KEY=") {
        device.keys = Bits(keys)
      }
    }
    return devices + [device]
  }

  func isBelow(_ address: PCIAddress) -> Bool {
    path.fields(at: "/").contains { $0 == "\(address)" }
  }

  /// The console takes keys of headsets and remote controls, too: a keyboard has the letters, as udev has
  /// it (src/udev/udev-builtin-input_id.c).
  var kind: String? {
    if handlers.contains(where: { $0 == "kbd" }),
      keys.map({ Self.letters.allSatisfy($0.contains) }) ?? true
    {
      return "keyboard"
    }
    return handlers.contains { $0.begins(with: "mouse") } ? "mouse" : nil
  }

  /// From `KEY_ESC` to `KEY_D` (include/uapi/linux/input-event-codes.h).
  private static let letters = 1..<32
}

/// Bits as the table shows them: words of 64, the highest first (`input_seq_print_bitmap()`).
private struct Bits {
  private let words: [UInt64]

  init(_ text: some StringProtocol) {
    words = text.fields(at: " ").reversed().map { UInt64($0, radix: 16) ?? 0 }
  }

  func contains(_ bit: Int) -> Bool {
    bit / 64 < words.count && words[bit / 64] >> UInt64(bit % 64) & 1 == 1
  }
}
