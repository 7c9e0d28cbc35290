package import Bytes

/// A disk or a part of one, as the kernel names it.
package struct BlockDevice: Hashable, Sendable {
  /// Its name in `/sys/class/block`.
  package var name: String
  /// `MAJOR:MINOR`; nil for one that nobody can open, such as a path of a disk that has several.
  package var number: String?

  package init(name: String, number: String?) {
    self.name = name
    self.number = number
  }

  /// Its file: a `!` in the kernel's name stands for the slash of a folder below `/dev`.
  package var file: HostPath { "/dev/\(below: name.replaced("!", by: "/"))" }
}
