import Glibc
import Support
import Testing

/// A socket that datagrams can be sent to.
struct Receiver: ~Copyable {
  let path: String
  private let number: Int32

  init(at path: String) throws {
    self.path = path
    number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un(path)
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(number, address, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
  }

  deinit { close(number) }

  /// The fields of the next entry, read as systemd's docs/JOURNAL_NATIVE_PROTOCOL.md says.
  func fields() throws -> [String: String] {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = recv(number, &bytes, bytes.count, Int32(truncatingIfNeeded: MSG_DONTWAIT))
    try #require(count > 0)
    var rest = bytes[..<count]
    var fields: [String: String] = [:]
    while !rest.isEmpty {
      let end = try #require(rest.firstIndex(of: UInt8(ascii: "\n")))
      let name = String(decoding: rest[..<end], as: UTF8.self)
      rest = rest[(end + 1)...]
      let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(8)
      fields[name] = String(decoding: rest.prefix(length), as: UTF8.self)
      rest = rest.dropFirst(length)
      try #require(rest.first == UInt8(ascii: "\n"))
      rest = rest.dropFirst()
    }
    return fields
  }
}
