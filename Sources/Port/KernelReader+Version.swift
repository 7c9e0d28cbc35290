internal import Bytes
package import HostModel

extension KernelReader {
  /// The first two numbers of the running kernel's release, such as `6.12.48+deb13-amd64`.
  package func version() throws(HostError) -> KernelVersion {
    let path: HostPath = "/proc/sys/kernel/osrelease"
    let release = try word(of: path)
    let parts = release.fields(at: ".", maxSplits: 2, keepingEmpty: true)
    // `7.1-rc3` has no third number: the second ends at the first character that is no digit.
    guard parts.count >= 2, let major = Int(parts[0]),
      let minor = parts[1].utf8.prefix(while: \.isDigit).decimal
    else {
      throw HostError(
        .read, path, errno: ErrorNumber.invalid.number,
        diagnosis: "“\(release.clipped(to: 60))” is not a kernel release")
    }
    return KernelVersion(major: major, minor: minor)
  }
}
