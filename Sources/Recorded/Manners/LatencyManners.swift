internal import Bytes
import HostModel

/// How long a device, a CPU among them, may take to wake: `pm_qos_resume_latency_us`.
///
/// It takes microseconds, `0` for no limit, and `n/a` for none at all; a negative number and
/// anything else is `EINVAL`.
struct LatencyManners: KernelManners {
  func apply(to path: HostPath) -> Bool { path.ends(with: "/power/pm_qos_resume_latency_us") }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    let word = text.trimmed
    // The greatest number is how the kernel itself writes “no limit”.
    guard word == "n/a" || Int(word).map({ (0..<Int(Int32.max)).contains($0) }) == true else {
      throw refusal(of: text, at: path, .invalid)
    }
    try tree.replace("\(word)\n", at: path)
  }
}
