/// A reader of text that comes from elsewhere, and what it promises for every text there can be.
///
/// That it neither traps nor hangs, nor asks for much memory, is promised by each and watched by
/// libFuzzer; that it fails with its own error alone is what typed throws are for.
package struct FuzzTarget: Sendable {
  /// The word for it on the command line, and the folder of its seeds.
  package var name: String
  /// Reads one text, and throws where a promise is broken.
  package var check: @Sendable (_ bytes: [UInt8]) throws(BrokenPromise) -> Void

  package static let all = [
    captureFile, cpuList, domainMetadata, domainXML, ledgerText, policyFile, proxmoxConf, qmp,
    tar, toml,
  ]

  package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// A text for which a reader does not do what it promises for every text.
package struct BrokenPromise: Error, CustomStringConvertible {
  package var description: String
}

/// Notes that what has to be true is not.
func promise(
  _ isKept: Bool, _ promise: @autoclosure () -> String
) throws(BrokenPromise) {
  if !isKept { throw BrokenPromise(description: "it is not so that \(promise())") }
}

/// Whether two texts have the same bytes: `==` takes an accented letter and a letter with an accent
/// for the same.
func areSame(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
