internal import Bytes
internal import HostModel
internal import Port

/// Attributes that the kernel changes together: `vm.dirty_ratio=20` of those of which one counts, and
/// `kernel.watchdog=1 kernel.nmi_watchdog=0` of those that all do.
struct CoupledPlace: Place {
  let kernel: any Kernel
  let coupling: Coupling

  func read(until deadline: Deadline) throws(HostError) -> Value {
    var numbers: [String: String] = [:]
    for name in coupling.names {
      numbers[name] = try kernel.wordIfPresent(of: path(of: name))
    }
    if numbers.isEmpty, let first = coupling.names.first {
      throw HostError(.read, path(of: first), errno: ErrorNumber.notFound.number)
    }
    return .text(coupling.value(of: numbers))
  }

  /// All are written before any is read again, as a reading may itself change one.
  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    guard case .text(let text) = value, let numbers = coupling.numbers(of: text) else {
      throw unsupported(value, at: coupling.names.joined(separator: ", "))
    }
    var failure: HostError?
    for (name, number) in numbers {
      do throws(HostError) {
        // The kernel takes only a new number for a choice, and 0 may be what reads there already.
        if coupling.isChoice, number == "0" { try kernel.write("1", to: path(of: name)) }
        try kernel.write(number, to: path(of: name))
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }

  private func path(of name: String) -> HostPath { HostPath(foreign: Coupling.path(of: name)) }
}
