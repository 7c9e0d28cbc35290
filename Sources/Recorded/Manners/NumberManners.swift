internal import Bytes
import HostModel

/// Attributes that show a number in another form than it was written in.
///
/// - `lru_gen/enabled` takes `y`, `n` and numbers, and shows four digits of hexadecimal of the bits that the
///   processor has (mm/vmscan.c, `enabled_show()`, `enabled_store()`).
/// - `energy_perf_bias` takes words and numbers up to 15, and shows numbers
///   (arch/x86/kernel/cpu/intel_epb.c, `energy_perf_bias_store()`).
struct NumberManners: KernelManners {
  private static let generations: HostPath = "/sys/kernel/mm/lru_gen/enabled"
  private static let biases = [
    "performance": 0, "balance-performance": 4, "normal": 6, "balance-power": 8, "power": 15,
  ]

  func apply(to path: HostPath) -> Bool {
    path == Self.generations || path.ends(with: "/power/energy_perf_bias")
  }

  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError) {
    let word = text.trimmed
    if path == Self.generations {
      let bits = ["y": 7, "Y": 7, "n": 0, "N": 0][word] ?? word.kernelNumber.map { $0 & 7 }
      guard let bits else { throw refusal(of: text, at: path, .invalid) }
      return try tree.replace("0x000\(bits)\n", at: path)
    }
    guard let bias = Self.biases[word] ?? word.kernelNumber, (0...15).contains(bias) else {
      throw refusal(of: text, at: path, .invalid)
    }
    try tree.replace("\(bias)\n", at: path)
  }
}
