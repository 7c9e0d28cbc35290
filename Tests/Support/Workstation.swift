package import Bytes
import Formats
import Glibc
package import HostModel
internal import Port
package import Recorded

/// The recorded workstation in a folder of its own, which goes away with the value.
package final class Workstation {
  package let root: String
  package let kernel: RecordedKernel
  package let systemd: RecordedSystemd

  package init() throws {
    // ext4 is slow at making files right after many were deleted, as these tests do; memory is not.
    let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(folder)/berth-host-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else { throw HostError(.write, folder, errno: errno) }
    root = String(cString: path)
    kernel = RecordedKernel(root: root)
    systemd = RecordedSystemd(of: kernel)
    try RecordedHost(at: Self.file("two-node-workstation.host")).unpack(into: root)
  }

  deinit {
    // What a test leaves behind when this fails is of no further use.
    try? RecordedHost.erase(root)
  }

  /// A file beside the tests that describes a host or a domain.
  package static func file(_ name: String) -> String {
    var parts = #filePath.split(separator: "/").dropLast(2).map(String.init)
    parts += ["Hosts", name]
    return "/" + parts.joined(separator: "/")
  }

  /// Makes room for the domain as Berth would, and lets it come in.
  package func prepareAndStartGaming() throws {
    try kernel.write("1", to: "/sys/devices/system/node/node1/compact")
    try kernel.write(
      "8192", to: "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages")
    try startGaming()
  }

  package func startGaming() throws {
    try RecordedHost.apply(overlay: gaming(), to: root)
  }

  package func stopGaming() throws {
    try RecordedHost.remove(overlay: gaming(), from: root)
  }

  /// Adds to the host what the lines of a recorded host say.
  package func add(_ lines: String) throws {
    try RecordedHost(parsing: lines, from: "test").unpack(into: root)
  }

  /// Takes a place of the host away, with all that is in it.
  package func remove(_ path: HostPath) throws {
    let overlay = try RecordedHost(parsing: "\(path.below(.root))/\n", from: "test")
    try RecordedHost.remove(overlay: overlay, from: root)
  }

  package func word(_ path: HostPath) throws -> String { try kernel.word(of: path) }

  private func gaming() throws -> RecordedHost {
    try RecordedHost(at: Self.file("two-node-workstation.gaming.host"))
  }

  /// The domain of `gaming.xml`, as far as its process is concerned.
  package static var domain: Domain {
    Domain(
      hypervisor: .libvirt, name: "gaming", id: "7d3c9a52-1f0e-4b6d-8a34-2c5be1907f11", vcpus: 6)
  }

  /// The same with the pins of `gaming.xml`.
  package static var pinnedDomain: Domain {
    var domain = domain
    domain.vcpuPins = [0: [5], 1: [13], 2: [6], 3: [14], 4: [7], 5: [15]]
    domain.emulatorPin = [4, 12]
    domain.iothreads = 1
    domain.iothreadIDs = [1]
    domain.iothreadPins = [1: [4, 12]]
    return domain
  }
}
