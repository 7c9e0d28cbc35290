internal import Bytes
import HostModel
internal import Port

extension KernelReader {
  /// Who made the CPUs, by the number in their alias: `cpu:type:x86,ven0002fam0019mod0021:…`
  /// (arch/x86/include/asm/processor.h, `X86_VENDOR_INTEL` and the like).
  ///
  /// `/proc/cpuinfo` has the name, and a page for each CPU, for which the kernel asks each of them.
  func cpuVendor() throws(HostError) -> CPUVendor? {
    let alias = try wordIfPresent(of: "\(FactReader.cpus)/modalias") ?? ""
    switch alias.fields(at: ",").dropFirst().first?.clipped(to: 7) {
    case "ven0000": return .intel
    case "ven0002": return .amd
    case "ven0009": return .hygon
    default: return nil
    }
  }
}
