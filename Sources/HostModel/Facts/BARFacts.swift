/// A BAR that is there.
package struct BARFacts: Hashable, Sendable {
  package var bar: BAR
  package var mebibytes: Int
  /// The sizes that the function offers, ascending; none for a BAR that has one size for ever.
  package var offeredMebibytes: [Int]

  package init(_ bar: BAR, mebibytes: Int, offeredMebibytes: [Int]) {
    self.bar = bar
    self.mebibytes = mebibytes
    self.offeredMebibytes = offeredMebibytes
  }
}
