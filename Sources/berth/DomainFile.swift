internal import Formats
internal import Glibc
internal import HostModel
internal import Live

/// A domain's configuration in a file, or on standard input.
enum DomainFile {
  /// The most that a domain's configuration may hold.
  private static let capacity = DomainXML.capacity

  /// The domain in a file; `-` stands for standard input.
  static func read(_ path: String) throws -> Domain {
    try parse(try bytes(of: path), from: place(path))
  }

  /// A file's name in messages.
  static func place(_ path: String) -> String { path == "-" ? "standard input" : path }

  /// All bytes of a file; `-` stands for standard input.
  static func bytes(of path: String) throws -> [UInt8] {
    if path == "-" { return try bytes(from: 0, named: place(path)) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw HostError(.read, path, errno: errno) }
    defer { close(descriptor) }
    return try bytes(from: descriptor, named: path)
  }

  /// The domain in a configuration of Proxmox's; `-` stands for standard input.
  static func readProxmox(_ path: String, atNextStart: Bool = false) throws -> ProxmoxConf {
    try ProxmoxConf(
      try bytes(of: path), named: place(path), vmid: ProxmoxConf.vmid(ofFile: path),
      atNextStart: atNextStart)
  }

  /// The domain whose XML the hypervisor hands to a hook.
  static func readStandardInput() throws -> Domain {
    let input = try bytes(of: "-")
    Containment.remember(input: input)
    return try parse(input, from: place("-"))
  }

  static func parse(_ bytes: [UInt8], from place: String) throws -> Domain {
    do throws(DomainXMLError) {
      return try DomainXML.domain(from: bytes)
    } catch {
      throw DomainFileError(place: place, error: error)
    }
  }

  private static func bytes(from descriptor: Int32, named place: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    let size = 65536
    while bytes.count <= capacity {
      var failure: Int32 = 0
      let part = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
        let length = Glibc.read(descriptor, buffer.baseAddress, size)
        if length < 0 { failure = errno }
        count = max(0, length)
      }
      if failure == EINTR { continue }
      guard failure == 0 else { throw HostError(.read, place, errno: failure) }
      if part.isEmpty { return bytes }
      bytes += part
    }
    throw Complaint("\(place) holds more than 2 MiB, which no VM's configuration does")
  }
}

/// An XML that is no domain's, with the file it is in.
struct DomainFileError: Error, CustomStringConvertible {
  var place: String
  var error: DomainXMLError

  var description: String { "\(place): \(error)" }
}
