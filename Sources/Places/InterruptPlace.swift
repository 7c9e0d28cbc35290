internal import Bytes
internal import Facts
internal import HostModel
internal import Port

/// The CPUs of one interrupt of a passed-through function.
///
/// VFIO makes them when the guest's driver asks for them, and anew with each start of the guest or
/// its driver. The number may then be another device's: the place is gone as soon as none of the
/// interrupt's handlers is the function's.
struct InterruptPlace: Place {
  let kernel: any Kernel
  let interrupt: PassedInterrupt

  private var list: HostPath { "/proc/irq/\(interrupt.number)/smp_affinity_list" }

  func read(until deadline: Deadline) throws(HostError) -> Value {
    try recognize()
    return try AttributePlace(kernel: kernel, path: list, format: .cpuList)
      .read(until: deadline)
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    try recognize()
    try AttributePlace(kernel: kernel, path: list, format: .cpuList).write(value, until: deadline)
  }

  func initialValue() throws(HostError) -> Value? {
    let standard = try kernel.wordIfPresent(of: "/proc/irq/default_smp_affinity")
    return standard.flatMap { try? CPUList(parsingMask: $0) }.map { .cpus($0) }
  }

  /// - Throws: `ENOENT` where the interrupt is another device's, or nobody's.
  private func recognize() throws(HostError) {
    let facts = try FactReader(kernel: kernel).handledInterrupt(interrupt.number)
    if facts?.passedFunction != interrupt.function {
      throw HostError(.read, list, errno: ErrorNumber.notFound.number)
    }
  }
}
