internal import Bytes
import Glibc
package import HostModel
internal import SystemCalls

/// A directory that nobody but root can change, and the files in it.
///
/// Berth runs as root on what its state and policy say, so that both are taken only from files
/// that an ordinary user cannot have written, exchanged or redirected: no step below the directory
/// follows a link, and every directory and file on the way belongs to root and is writable by its
/// owner alone. What is checked is the open descriptor, never a path that may lead elsewhere a
/// moment later. A user who is not root may also use files of their own, and gains nothing by it.
package final class RootOwnedDirectory {
  /// The path that it was opened by, for messages.
  package let path: String
  private let descriptor: Descriptor

  /// Opens a directory, of which the way to it is trusted.
  package init(_ path: String) throws(HostError) {
    let opened: Descriptor
    do {
      opened = try Descriptor(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
    } catch {
      // To open(2) with both flags, a link is one thing more that is no directory.
      let diagnosis = error.number == ENOTDIR ? "it is a link, or no directory" : nil
      throw HostError(.read, path, errno: error.number, diagnosis: diagnosis)
    }
    try Ownership(of: opened, at: path, .read).check(isDirectory: true, at: path, .read)
    self.path = path
    descriptor = opened
  }

  /// Opens a directory, and makes it if it is not there: with mode 0700, in one that is.
  package static func made(at path: String) throws(HostError) -> RootOwnedDirectory {
    do {
      return try RootOwnedDirectory(path)
    } catch {
      guard error.errno == ENOENT else { throw error }
    }
    do {
      try _ = CallError.check(mkdir(path, 0o700))
    } catch {
      // Another process may have made it meanwhile.
      guard error.number == EEXIST else { throw HostError(.write, path, errno: error.number) }
    }
    return try RootOwnedDirectory(path)
  }

  /// The bytes of a file, by its path below the directory.
  ///
  /// - Throws: `ENOENT` where it is not there, `ELOOP` or `ENOTDIR` for a link, `EFBIG` for more
  ///   bytes than `limit`, and `EACCES` with a diagnosis for a file that others can write to.
  package func bytes(of file: String, limit: Int) throws(HostError) -> [UInt8] {
    let place = "\(path)/\(file)"
    let opened = try descend(to: file[...], from: descriptor, at: path)
    do {
      return try opened.bytes(limit: limit)
    } catch {
      throw HostError(
        .read, place, errno: error.number,
        diagnosis: error.number == EFBIG ? "it has more than \(limit) bytes" : nil)
    }
  }

  /// A file, by its name, to be read as often as it is the same.
  ///
  /// - Throws: as `bytes(of:limit:)`.
  func file(_ name: String) throws(HostError) -> RootOwnedFile {
    let place = "\(path)/\(name)"
    return try RootOwnedFile(descend(to: name[...], from: descriptor, at: path), place)
  }

  /// What tells a file by its name from others, and from itself before a change; nil where none has
  /// the name.
  func status(of name: String) throws(HostError) -> FileStatus? {
    do {
      return try FileStatus(of: name, in: descriptor)
    } catch {
      if error.number == ENOENT { return nil }
      throw HostError(.read, "\(path)/\(name)", errno: error.number)
    }
  }

  /// The names in the directory, in ascending order.
  package func entries() throws(HostError) -> [String] {
    // The directory itself is reached by its descriptor, not once more by its path.
    do {
      return try DirectoryNames.read(of: descriptor)
    } catch {
      throw HostError(.list, path, errno: error.number)
    }
  }

  /// Replaces a file at once and for good, or makes it.
  ///
  /// After a crash at any moment the file is either the old or the new one. The new text is first
  /// written beside it, under one name for each file, so that a killed process leaves no more
  /// than one such file behind; the caller therefore holds a lock on what it replaces.
  @discardableResult
  package func replace(_ name: String, with bytes: [UInt8]) throws(HostError) -> RootOwnedFile {
    let place = "\(path)/\(name)"
    let temporary = Self.temporary(for: name)
    let written: Descriptor
    do {
      try Self.check(name: name)
      written = try write(bytes, to: temporary)
    } catch {
      throw HostError(.write, place, errno: error.number)
    }
    do {
      try _ = CallError.check(
        renameat(descriptor.number, temporary, descriptor.number, name))
    } catch {
      unlinkat(descriptor.number, temporary, 0)
      throw HostError(.write, place, errno: error.number)
    }
    try settle(place)
    return try RootOwnedFile(written, place)
  }

  /// Removes a file, and what a killed process left of a new one; one that is not there is removed
  /// already.
  package func remove(_ name: String) throws(HostError) {
    let place = "\(path)/\(name)"
    do {
      try Self.check(name: name)
      unlinkat(descriptor.number, Self.temporary(for: name), 0)
      try _ = CallError.check(unlinkat(descriptor.number, name, 0))
    } catch {
      if error.number == ENOENT { return }
      throw HostError(.write, place, errno: error.number)
    }
    try settle(place)
  }

  /// Gives a file another name, and takes the place of one that has it.
  package func rename(_ name: String, to other: String) throws(HostError) {
    let place = "\(path)/\(name)"
    do {
      try Self.check(name: name)
      try Self.check(name: other)
      try _ = CallError.check(renameat(descriptor.number, name, descriptor.number, other))
    } catch {
      throw HostError(.write, place, errno: error.number)
    }
    try settle(place)
  }

  /// Opens a file for reading and writing, and makes it first if it is not there.
  func opened(creating name: String) throws(HostError) -> Descriptor {
    let place = "\(path)/\(name)"
    let opened: Descriptor
    do {
      try Self.check(name: name)
      opened = try Descriptor(
        openat(descriptor.number, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600))
    } catch {
      throw HostError(.lock, place, errno: error.number)
    }
    try Ownership(of: opened, at: place, .lock).check(isDirectory: false, at: place, .lock)
    return opened
  }
}

extension RootOwnedDirectory {
  /// Opens what a relative path names, one component at a time.
  private func descend(
    to file: Substring, from directory: borrowing Descriptor, at place: String
  ) throws(HostError) -> Descriptor {
    let parts = file.fields(at: "/", maxSplits: 1, keepingEmpty: true)
    let name = String(parts[0])
    let isDirectory = parts.count == 2
    let here = "\(place)/\(name)"

    let opened: Descriptor
    do {
      try Self.check(name: name)
      // O_NONBLOCK: a FIFO that somebody put there is refused below instead of waited for.
      let kind = isDirectory ? O_DIRECTORY : O_NONBLOCK
      opened = try Descriptor(
        openat(directory.number, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | kind))
    } catch {
      throw HostError(
        .read, here, errno: error.number, diagnosis: error.number == ELOOP ? "it is a link" : nil)
    }
    try Ownership(of: opened, at: here, .read).check(isDirectory: isDirectory, at: here, .read)
    return isDirectory ? try descend(to: parts[1], from: opened, at: here) : opened
  }

  /// Writes a new file, which is not there afterwards if anything failed.
  private func write(
    _ bytes: [UInt8], to temporary: String
  ) throws(CallError) -> Descriptor {
    // What a killed process left is of no use to anybody, as no lock is held on it any more.
    unlinkat(descriptor.number, temporary, 0)
    let file = try Descriptor(
      openat(
        descriptor.number, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600))
    do throws(CallError) {
      try file.write(all: bytes)
      try _ = CallError.check(retrying: fsync(file.number))
    } catch {
      unlinkat(descriptor.number, temporary, 0)
      throw error
    }
    return file
  }

  /// Makes the directory's names last: without that, a crash may bring back the old file.
  private func settle(_ place: String) throws(HostError) {
    do {
      try _ = CallError.check(retrying: fsync(descriptor.number))
    } catch {
      throw HostError(.write, place, errno: error.number, diagnosis: "its directory does not sync")
    }
  }

  private static func temporary(for name: String) -> String { ".\(name).new" }

  /// Refuses what is not the name of one file.
  private static func check(name: String) throws(CallError) {
    if name.isEmpty || name == "." || name == ".." || name.utf8.contains(0)
      || name.utf8.contains(UInt8(ascii: "/"))
    {
      throw CallError(number: EINVAL)
    }
  }
}

/// Who may change an open file.
private struct Ownership {
  private var owner: uid_t
  private var mode: mode_t

  init(
    of descriptor: borrowing Descriptor, at place: String, _ operation: HostOperation
  ) throws(HostError) {
    var status = stat()
    do {
      try _ = CallError.check(fstat(descriptor.number, &status))
    } catch {
      throw HostError(operation, place, errno: error.number)
    }
    owner = status.st_uid
    mode = status.st_mode
  }

  /// Refuses what anybody but root, or the user that Berth runs as, can change.
  func check(
    isDirectory: Bool, at place: String, _ operation: HostOperation
  ) throws(HostError) {
    if mode & S_IFMT != (isDirectory ? S_IFDIR : S_IFREG) {
      throw HostError(
        operation, place, errno: EINVAL,
        diagnosis: isDirectory ? "it is not a directory" : "it is not a regular file")
    }
    if owner != 0, owner != geteuid() {
      throw HostError(
        operation, place, errno: EACCES,
        diagnosis: "it belongs to user \(owner) and has to belong to root")
    }
    // An access list that lets others write shows here, too: its mask is the group's mode.
    if mode & (S_IWGRP | S_IWOTH) != 0 {
      let octal = String(mode & 0o7777, radix: 8)
      throw HostError(
        operation, place, errno: EACCES,
        diagnosis: "its mode is \(octal), so that others than root can write to it")
    }
  }
}
