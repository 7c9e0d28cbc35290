/// The CPUs of an interrupt of a function that is passed to a VM.
struct InterruptSetting: SettingKind {
  let interrupt: PassedInterrupt

  static let driftSummary = "interrupts moved outside Berth since"

  static var word: String { "interrupt" }
  var family: SettingFamily? { .interrupts }
  /// VFIO requests it anew with each start of the guest's driver (drivers/vfio/pci/vfio_pci_intrs.c),
  /// and its mask is broken as that of any interrupt.
  var kernelChanges: KernelChanges { .initial }
  var collective: Collective? { .interrupts(of: interrupt.function) }
  var name: String { "CPUs of interrupt \(interrupt)" }
  var driftSummary: String? { Self.driftSummary }

  func write(to words: inout WordWriter) { words.interrupt(interrupt) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .interrupt(try words.interrupt())
  }
}

/// An interrupt of a function that a VFIO driver handles, for as long as it is that function's.
package struct PassedInterrupt: Hashable, Sendable {
  package var number: Int
  package var function: PCIAddress

  package init(number: Int, function: PCIAddress) {
    self.number = number
    self.function = function
  }
}

extension PassedInterrupt: CustomStringConvertible {
  package var description: String { "\(number) of \(function)" }
}

extension WordWriter {
  mutating func interrupt(_ interrupt: PassedInterrupt) {
    number(interrupt.number)
    address(interrupt.function)
  }
}

extension WordReader {
  mutating func interrupt() throws(FormatError) -> PassedInterrupt {
    PassedInterrupt(number: try number(), function: try address())
  }
}
