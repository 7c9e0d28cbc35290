internal import Bytes
package import HostModel

/// The file of a recorded host: an archive that is compressed (`.tar.zst`) or not (`.tar`), or the
/// text of `RecordedHost` (`.host`).
///
/// What it is is told by its first bytes. It comes from somebody else, so that nothing is believed:
/// what it may hold has limits, and whatever no capture holds is an error.
package enum CaptureFile {
  /// The most bytes of a file that is compressed.
  package static let capacity = 64 << 20

  /// The host that the bytes of a file stand for.
  package static func host(
    in bytes: [UInt8], of file: String
  ) throws(HostError) -> RecordedHost {
    guard bytes.starts(with: Zstandard.magic) else { return try unpacked(bytes, of: file) }
    guard bytes.count <= capacity else {
      throw HostError(.read, file, diagnosis: "it has more than 64 MiB, which no capture has")
    }
    let archive = try Zstandard.decompressed(bytes, of: file, limit: TarArchive.capacity)
    guard TarHeader.isHeader(archive[...]) else {
      throw HostError(.read, file, diagnosis: "what is compressed in it is no archive of tar")
    }
    return try TarArchive.host(in: archive, of: file)
  }

  private static func unpacked(_ bytes: [UInt8], of file: String) throws(HostError) -> RecordedHost
  {
    if TarHeader.isHeader(bytes[...]) { return try TarArchive.host(in: bytes, of: file) }
    guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty else {
      throw HostError(
        .read, file, diagnosis: "it is neither a capture (.tar.zst, .tar) nor the text of a host")
    }
    return try RecordedHost(parsing: text, from: file)
  }

  /// The bytes of a file of this name for a host: text where it ends in `.host`, else an archive.
  package static func bytes(
    of host: RecordedHost, for file: String
  ) throws(HostError) -> [UInt8] {
    if file.ends(with: ".host") { return Array(host.text.utf8) }
    let archive = TarArchive.bytes(of: host)
    return file.ends(with: ".tar") ? archive : try Zstandard.compressed(archive, for: file)
  }
}
