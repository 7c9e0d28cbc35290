internal import Bytes

/// Attributes of which the kernel changes others with each write to one, so that only together they
/// have a value that can be given back.
package enum Coupling: String, Hashable, Sendable, CaseIterable {
  /// mm/page-writeback.c, `dirty_bytes_handler()`, `dirty_ratio_handler()`: a number that is new makes the
  /// other one 0, and 0 bytes are `EINVAL`.
  case dirty
  /// mm/page-writeback.c, `dirty_background_bytes_handler()`, `dirty_background_ratio_handler()`.
  case dirtyBackground = "dirty-background"
  /// mm/util.c, `overcommit_kbytes_handler()`, `overcommit_ratio_handler()`: 0 KiB are taken, and with them
  /// the ratio is 0, too.
  case overcommit
  /// kernel/watchdog.c, `proc_watchdog_common()`: while the first is off the others read 0, and up to 6.9
  /// a reading makes that their value.
  case watchdog

  private static let root = "/proc/sys/"

  /// The sysctls, in the order in which they are written.
  package var names: [String] {
    switch self {
    case .dirty: ["vm.dirty_bytes", "vm.dirty_ratio"]
    case .dirtyBackground: ["vm.dirty_background_bytes", "vm.dirty_background_ratio"]
    case .overcommit: ["vm.overcommit_kbytes", "vm.overcommit_ratio"]
    case .watchdog: ["kernel.watchdog", "kernel.nmi_watchdog", "kernel.soft_watchdog"]
    }
  }

  /// Whether of two only one counts, and the other one reads 0: first the amount, then the share.
  package var isChoice: Bool { self != .watchdog }

  package static func path(of name: String) -> String {
    root + name.fields(at: ".").joined(separator: "/")
  }

  package var paths: [String] { names.map(Self.path(of:)) }

  /// The coupling that a path is part of.
  package init?(path: String) {
    guard path.begins(with: Self.root),
      let coupling = Self.allCases.first(where: { $0.paths.contains(path) })
    else { return nil }
    self = coupling
  }

  /// What the attributes come to, by what each that is there reads.
  package func value(of numbers: [String: String]) -> String {
    var counting = names.filter { numbers[$0] != nil }
    if isChoice, let amount = names.first, let share = names.last {
      counting = numbers[amount] ?? "0" == "0" ? [share] : [amount]
    }
    return counting.map { "\($0)=\(numbers[$0] ?? "0")" }.joined(separator: " ")
  }

  /// The attributes that a value names, with their numbers; nil for a text that is no value.
  package func numbers(of value: String) -> [(name: String, number: String)]? {
    var numbers: [(name: String, number: String)] = []
    for word in value.fields(at: " ") {
      guard let (name, number) = word.cut(at: "="), names.contains(String(name)) else { return nil }
      numbers.append((String(name), String(number)))
    }
    return numbers
  }
}

/// Attributes that the kernel changes together.
struct CoupledSetting: SettingKind {
  let coupling: Coupling

  static var word: String { "coupled" }
  /// All of `/proc/sys` outlives hotplug and sleep.
  var kernelChanges: KernelChanges { .none }
  var name: String { coupling.names.joined(separator: ", ") }

  func write(to words: inout WordWriter) { words.raw(coupling.rawValue) }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .coupled(try words.keyword(else: "no attributes that are changed together"))
  }
}
