/// The pool of huge pages of one size on one node, counted in persistent pages.
struct HugepageSetting: SettingKind {
  let pool: HugepagePool

  static var word: String { "hugepages" }
  var traits: SettingTraits { SettingTraits(isSlow: true, isShared: true) }
  /// Whatever stands there, Berth's share alone counts.
  var kernelChanges: KernelChanges { .none }
  var name: String { "\(PageSize(kiB: pool.pageKiB)) pages on node \(pool.node)" }
  var lockName: String { "node\(pool.node)-\(pool.pageKiB)kB" }

  func write(to words: inout WordWriter) {
    words.number(pool.node)
    words.number(pool.pageKiB)
  }

  static func read(_ words: inout WordReader) throws(FormatError) -> Setting {
    .hugepagePool(
      HugepagePool(
        node: try words.number(as: .node), pageKiB: try words.number(as: .pageKibibytes)))
  }
}

/// The huge pages of one size on one node.
package struct HugepagePool: Hashable, Sendable {
  package var node: Int
  package var pageKiB: Int

  package init(node: Int, pageKiB: Int) {
    self.node = node
    self.pageKiB = pageKiB
  }
}
