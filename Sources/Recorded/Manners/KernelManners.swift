internal import Bytes
import HostModel

/// How the kernel answers a write to one group of its files.
///
/// A folder of files takes any text and gives it back. The kernel does not: it refuses, trims,
/// grants a part, or accepts and does nothing. Each rule says which.
protocol KernelManners: Sendable {
  /// Whether the rule is about this place; the path is free of links.
  func apply(to path: HostPath) -> Bool

  /// Does what the kernel would do on this write.
  func write(_ text: String, to path: HostPath, in tree: RecordedTree) throws(HostError)
}

/// Every rule; of those that are about a place, the first one counts.
let allManners: [any KernelManners] = [
  HotplugManners(),
  HugepageManners(),
  CoupledManners(),
  NumberManners(),
  VirtualFunctionManners(),
  RescanManners(),
  OverrideManners(),
  BindingManners(),
  PartitionManners(),
  CPUSetManners(),
  InterruptManners(),
  CompactionManners(),
  FrequencyManners(),
  LatencyManners(),
  WorkqueueManners(),
  FunctionAttributeManners(),
  BARManners(),
  ConsoleManners(),
  WordManners(),
]

extension KernelManners {
  /// The error of a write that this rule refuses.
  func refusal(
    of text: String, at path: HostPath, _ number: ErrorNumber
  ) -> HostError {
    HostError(.write, path, value: text.trimmed, errno: number.number)
  }
}
