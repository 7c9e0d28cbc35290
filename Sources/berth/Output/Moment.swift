internal import Glibc

/// A moment of the host's clock, to the second.
struct Moment {
  private let seconds: time_t

  /// - Parameter microseconds: Since the beginning of 1970, in UTC.
  init(microseconds: UInt64) { seconds = time_t(microseconds / 1_000_000) }

  /// As ISO 8601 has it, such as `2026-11-25T13:05:12Z`.
  var inUTC: String {
    var (seconds, parts) = (seconds, tm())
    gmtime_r(&seconds, &parts)
    return Self.formatted(parts, "%Y-%m-%dT%H:%M:%SZ")
  }

  /// On the clock that the host shows, such as `Nov 25 14:05:12`.
  var forPeople: String {
    var (seconds, parts) = (seconds, tm())
    localtime_r(&seconds, &parts)
    return Self.formatted(parts, "%b %d %H:%M:%S")
  }

  private static func formatted(_ parts: tm, _ format: String) -> String {
    var parts = parts
    let bytes = [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
      count = buffer.withMemoryRebound(to: CChar.self) { characters in
        strftime(characters.baseAddress, characters.count, format, &parts)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
