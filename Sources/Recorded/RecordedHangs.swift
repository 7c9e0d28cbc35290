internal import Bytes
import HostModel
internal import SystemCalls

/// What does not come back on a recorded host, who waits for it, and the time that passes meanwhile.
///
/// Shared by all that belongs to one host, so that they have one clock.
final class RecordedHangs {
  /// A child that was left behind in a write, or in a read.
  struct Waiting {
    var pid: Int
    var place: HostPath
    /// What it is to write; nil for a read.
    var text: String?
  }

  private var passed: UInt64 = 0
  private var nextPID = 4_100_000
  /// Files, and folders of devices whose lock somebody holds.
  private(set) var held: Set<HostPath> = []
  private(set) var waiting: [Waiting] = []
  var isManagerMute = false
  /// Whether a call to the mute manager has been given up already.
  var isManagerKnownMute = false

  /// The live clock, and the time that something has taken on this host.
  var now: Deadline {
    let now = Deadline.now
    return Deadline(nanoseconds: now.nanoseconds &+ passed)
  }

  /// More than any phase takes.
  private static let most = 86_400_000_000_000 as UInt64

  func pass(until deadline: Deadline) {
    let now = now
    guard deadline > now else { return }
    passed += min(deadline.nanoseconds - now.nanoseconds, Self.most)
  }

  func hold(_ place: HostPath) { held.insert(place) }

  func release(_ place: HostPath) { held.remove(place) }

  /// Leaves a child behind, which waits there until the host is told otherwise.
  func leave(_ text: String?, at place: HostPath) -> Int {
    nextPID += 1
    waiting.append(Waiting(pid: nextPID, place: place, text: text))
    return nextPID
  }

  /// Takes those that wait, the first first.
  func takeWaiting(where isEnding: (Waiting) -> Bool) -> [Waiting] {
    let ending = waiting.filter(isEnding)
    waiting.removeAll(where: isEnding)
    return ending
  }
}
