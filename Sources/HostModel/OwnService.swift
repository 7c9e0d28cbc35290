internal import Bytes

/// A service that Berth has systemd run.
///
/// systemd keeps its state, its time limits and its output, so that the undoing commands run once
/// whatever becomes of the process that asked for it.
package struct OwnService: Hashable, Sendable {
  /// How systemd runs it, and how far it is waited for.
  package enum Manner: String, Hashable, Sendable, CaseIterable {
    /// It is done when its command has ended well.
    case awaited
    /// It is begun, and only what fails at once is heard of.
    case begun
    /// The same, and it makes no difference whether its command fails; undoing it is nothing for the
    /// shutdown of the host.
    case asked
    /// Its command runs for as long as the unit that it is bound to.
    case alongside
  }

  /// The unit's name.
  package var unit: String
  /// What it does, for people.
  package var title: String
  package var manner: Manner
  /// The program and its arguments.
  package var command: [String]
  /// What takes the command back, one after the other; once for each time that the command began,
  /// whatever became of it.
  package var undo: [[String]] = []
  /// What the commands find in their environment, each as `NAME=VALUE`.
  package var environment: [String] = []
  /// How long the command, and each that undoes it, may take.
  package var seconds: Int
  /// The unit with which it ends.
  package var boundTo: String?

  package init(
    unit: String, title: String, manner: Manner, command: [String], seconds: Int = 10
  ) {
    self.unit = unit
    self.title = title
    self.manner = manner
    self.command = command
    self.seconds = seconds
  }
}

extension OwnService {
  /// The name of a unit that belongs to a holder, after its use and what tells it from others.
  ///
  package static func unitName(_ use: String, of holder: String, _ mark: String) -> String {
    "berth-\(use)-\(unitPart(holder))-\(mark).service"
  }

  /// A holder as a part of a unit's name, which no other holder has: a UUID and a vmid as they are, any
  /// other text by a mark.
  package static func unitPart(_ holder: String) -> String {
    let isPlain = holder.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") }
    return isPlain && holder.utf8.count <= 64 ? holder : "x" + Self.mark(of: [holder])
  }

  /// A short mark that differs where texts differ (FNV-1a).
  package static func mark(of texts: [String]) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for text in texts {
      for byte in Array(text.utf8) + [0] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
    return String(hash, radix: 16)
  }

  /// A text without control characters, which systemd takes in no description and no environment.
  package static func plain(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
  }
}
