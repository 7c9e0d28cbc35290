internal import Formats
internal import HostModel

extension FuzzTarget {
  /// What a QEMU says, whose guest may have taken it over.
  static let qmp = FuzzTarget(name: "qmp") { bytes throws(BrokenPromise) in
    let message: QMPMessage
    do throws(QMPAnswerError) {
      message = try QMPMessage(bytes)
    } catch {
      try promise(error.sentence.unicodeScalars.count <= 300, "the error fits on a line")
      return
    }
    guard case .result(let value, _) = message else { return }
    let vcpus = numbers { () throws(QMPAnswerError) in try Array(QMPThreads.vcpus(value).values) }
    let iothreads = numbers { () throws(QMPAnswerError) in
      try Array(QMPThreads.iothreads(value).values)
    }
    try promise((vcpus + iothreads).allSatisfy { $0 > 0 }, "a thread has a number")
  }

  private static func numbers(_ read: () throws(QMPAnswerError) -> [Int]) -> [Int] {
    do throws(QMPAnswerError) { return try read() } catch { return [] }
  }
}
