internal import CZstd
internal import Glibc
internal import HostModel

/// Compression as zstd(1) has it (RFC 8878).
enum Zstandard {
  /// How each frame begins.
  static let magic: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]

  static func compressed(_ bytes: [UInt8], for file: String) throws(HostError) -> [UInt8] {
    var result: UnsafeMutableRawPointer?
    let count = czstd_compress(bytes, bytes.count, &result)
    defer { free(result) }
    return try taken(result, count, .write, file, nil)
  }

  /// All that the bytes of a file stand for.
  ///
  /// - Throws: `EFBIG` for more than `limit` bytes, and with what libzstd says of it for what is
  ///   damaged or cut off.
  static func decompressed(
    _ bytes: [UInt8], of file: String, limit: Int
  ) throws(HostError) -> [UInt8] {
    var result: UnsafeMutableRawPointer?
    var reason: UnsafePointer<CChar>?
    let count = czstd_decompress(bytes, bytes.count, limit, &result, &reason)
    defer { free(result) }
    let diagnosis: String? =
      switch Int32(clamping: -count) {
      case EFBIG: "it holds more than \(limit >> 20) MiB, which no capture does"
      case ENODATA: "it is cut off: the compressed data has no end"
      case EBADMSG: "it is damaged: " + (reason.map { String(cString: $0) } ?? "no zstd data")
      default: nil
      }
    return try taken(result, count, .read, file, diagnosis)
  }

  private static func taken(
    _ result: UnsafeMutableRawPointer?, _ count: Int, _ operation: HostOperation, _ file: String,
    _ diagnosis: String?
  ) throws(HostError) -> [UInt8] {
    guard count >= 0 else {
      let number = Int32(clamping: -count)
      let isMissing = number == ELIBACC
      throw HostError(
        operation, file, errno: diagnosis == nil && !isMissing ? number : 0,
        diagnosis: isMissing ? "libzstd.so.1 is missing; the package is libzstd1" : diagnosis)
    }
    return Array(UnsafeRawBufferPointer(start: result, count: count))
  }
}
