internal import Bytes

/// A process that has a device file open.
package struct DeviceUser: Hashable, Sendable {
  package var file: String
  /// `comm`, at most 15 characters; `?` where it cannot be read any more.
  package var name: String
  package var pid: Int

  package init(file: String, name: String, pid: Int) {
    self.file = file
    self.name = name
    self.pid = pid
  }
}

/// The PCI Express link of a function: what it is now, and what the function could.
package struct LinkFacts: Hashable, Sendable {
  /// The number of lanes.
  package var width: Int
  package var maximumWidth: Int
  /// Such as `8.0 GT/s PCIe`; it drops while the function idles.
  package var speed: String
  package var maximumSpeed: String

  package init(width: Int, maximumWidth: Int, speed: String, maximumSpeed: String) {
    self.width = width
    self.maximumWidth = maximumWidth
    self.speed = speed
    self.maximumSpeed = maximumSpeed
  }
}

/// What shows the host's text consoles.
package struct DisplayFacts: Hashable, Sendable {
  package var consoles: [ConsoleFacts] = []
  package var framebuffers: [FirmwareFramebuffer] = []

  package init() {}
}

/// A driver of text consoles.
package struct ConsoleFacts: Hashable, Sendable {
  /// What the kernel calls it: `(M) frame buffer device`.
  package var name: String
  package var isBound: Bool

  package init(name: String, isBound: Bool) {
    self.name = name
    self.isBound = isBound
  }

  /// Whether it draws into framebuffers (`fb_con` in drivers/video/fbdev/core/fbcon.c).
  package var drawsIntoFramebuffers: Bool { name.ends(with: ") frame buffer device") }
}

/// The framebuffer that the firmware left behind, a device on the platform bus.
package struct FirmwareFramebuffer: Hashable, Sendable {
  /// Such as `efi-framebuffer.0`.
  package var device: String
  package var binding: DriverBinding
  /// The function that it is part of, where the kernel tells (since 6.9).
  package var function: PCIAddress?

  package init(device: String, binding: DriverBinding, function: PCIAddress?) {
    self.device = device
    self.binding = binding
    self.function = function
  }
}

/// A module of the kernel, by the name that sysfs has for it.
package struct ModuleFacts: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    case absent
    case loaded
    /// It is part of the kernel itself.
    case builtIn
  }

  package var name: String
  package var state: State
  /// The functions that its drivers have.
  package var functions: [PCIAddress] = []

  package init(name: String, state: State) {
    self.name = name
    self.state = state
  }
}
