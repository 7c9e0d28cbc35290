internal import Bytes
import Glibc
package import HostModel
internal import SystemCalls

/// A lock that one process at a time holds, by flock(2) on a file.
///
/// The kernel lets go of it however its holder ends, so that no lock is ever stale. The file stays
/// where it is: removing it would let two processes lock two files of one name.
package struct FileLock: ~Copyable {
  private let file: Descriptor

  /// Waits for the lock until the deadline.
  ///
  /// - Parameters:
  ///   - name: The lock's file.
  ///   - directory: Where the file is.
  ///   - holder: For whom the lock is wanted; others are told so who wait for it in vain.
  ///   - deadline: How long to wait.
  /// - Throws: `ETIMEDOUT`, with the holder as diagnosis.
  package init(
    _ name: String, in directory: RootOwnedDirectory, for holder: String,
    until deadline: Deadline
  ) throws(HostError) {
    let place = "\(directory.path)/\(name)"
    let file = try directory.opened(creating: name)
    do {
      try file.lock(until: deadline)
    } catch {
      let isHeld = error.number == ETIMEDOUT
      throw HostError(
        .lock, place, errno: error.number, diagnosis: isHeld ? Self.holder(in: file) : nil)
    }
    Self.write("\(getpid()) \(holder)", in: file)
    self.file = file
  }

  deinit {
    // While the lock is still held: whoever takes it next and has not said so yet would otherwise
    // be reported under this holder's name.
    ftruncate(file.number, 0)
  }

  private static let textLimit = 200

  /// Says in the file who holds the lock, ignoring failures: the lock holds without it.
  private static func write(_ text: String, in file: borrowing Descriptor) {
    ftruncate(file.number, 0)
    let bytes = Array(text.utf8.prefix(textLimit))
    _ = pwrite(file.number, bytes, bytes.count, 0)
  }

  /// Who holds the lock, from the text that its holder wrote.
  private static func holder(in file: borrowing Descriptor) -> String? {
    var bytes = [UInt8](repeating: 0, count: textLimit)
    let count = pread(file.number, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    // A domain's name may hold newlines and control characters, which no message is to carry.
    let text = String(decoding: bytes[..<count].filter { $0 >= 32 && $0 != 127 }, as: UTF8.self)
    let words = text.fields(at: " ", maxSplits: 1)
    guard let process = words.first else { return nil }
    return "process \(process)" + (words.count > 1 ? ", for \(words[1])" : "")
  }
}
