package import Bytes

/// What was tried on the host.
package enum HostOperation: String, Sendable {
  case read
  case write
  case list
  case follow
  case lock
  case connect
  case call
}

/// An operation that the host refused, with its place and the value that was to be written.
package struct HostError: Error, Hashable, Sendable {
  package var operation: HostOperation
  /// A path, a unit, or a thread.
  package var place: String
  package var value: String?
  /// The positive error number of errno(3); 0 where the host gave no number.
  package var errno: Int32
  /// What the number means here, where more is known than its name.
  package var diagnosis: String?
  /// The PID of a child process that waits in the kernel and could not be ended.
  ///
  /// What it was to do may still come to pass. nil where nobody was left behind.
  package var leftBehind: Int?

  package init(
    _ operation: HostOperation, _ place: String, value: String? = nil, errno: Int32 = 0,
    diagnosis: String? = nil
  ) {
    self.operation = operation
    self.place = place
    self.value = value
    self.errno = errno
    self.diagnosis = diagnosis
  }

  package init(
    _ operation: HostOperation, _ path: HostPath, value: String? = nil, errno: Int32 = 0,
    diagnosis: String? = nil
  ) {
    self.init(operation, path.description, value: value, errno: errno, diagnosis: diagnosis)
  }
}

extension HostError: CustomStringConvertible {
  package var description: String {
    var sentence = "cannot \(operation.rawValue) "
    if let value { sentence += "“\(value)” \(operation == .write ? "to" : "on") " }
    sentence += place
    if errno != 0 { sentence += ": \(ErrorNumber(errno))" }
    if let diagnosis { sentence += " (\(diagnosis))" }
    return sentence
  }
}

/// An error number with the name that errno(3) gives it.
package struct ErrorNumber: Hashable, Sendable, CustomStringConvertible {
  package var number: Int32

  package init(_ number: Int32) { self.number = number }

  private static let names: [Int32: String] = [
    1: "EPERM", 2: "ENOENT", 3: "ESRCH", 4: "EINTR", 5: "EIO", 6: "ENXIO", 7: "E2BIG",
    9: "EBADF", 11: "EAGAIN", 12: "ENOMEM", 13: "EACCES", 16: "EBUSY", 17: "EEXIST", 18: "EXDEV",
    19: "ENODEV", 20: "ENOTDIR", 21: "EISDIR", 22: "EINVAL", 25: "ENOTTY", 27: "EFBIG",
    28: "ENOSPC", 30: "EROFS", 32: "EPIPE", 34: "ERANGE", 36: "ENAMETOOLONG", 38: "ENOSYS",
    39: "ENOTEMPTY", 40: "ELOOP", 61: "ENODATA", 75: "EOVERFLOW", 95: "EOPNOTSUPP",
    104: "ECONNRESET", 110: "ETIMEDOUT", 111: "ECONNREFUSED", 116: "ESTALE",
  ]

  package var description: String { Self.names[number] ?? "error \(number)" }

  package static let notPermitted = ErrorNumber(1)
  package static let notFound = ErrorNumber(2)
  package static let noSuchProcess = ErrorNumber(3)
  package static let inputOutput = ErrorNumber(5)
  package static let again = ErrorNumber(11)
  package static let accessDenied = ErrorNumber(13)
  package static let busy = ErrorNumber(16)
  package static let exists = ErrorNumber(17)
  package static let noDevice = ErrorNumber(19)
  package static let notDirectory = ErrorNumber(20)
  package static let noSpace = ErrorNumber(28)
  package static let invalid = ErrorNumber(22)
  package static let tooBig = ErrorNumber(27)
  package static let notSupported = ErrorNumber(95)
  package static let timedOut = ErrorNumber(110)
  package static let refused = ErrorNumber(111)
}
