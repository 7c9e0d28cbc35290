package import HostModel

extension Entry {
  /// What is to stand in the setting, given what stands there now; nil where the claims
  /// contradict each other.
  ///
  /// Of a shared setting it is what stands there with Berth's share brought to what is claimed.
  package func target(given value: Value?) -> Value? {
    do throws(ResolveError) {
      guard let value else { return try resolved() }
      return try target(above: value)
    } catch {
      return nil
    }
  }

  /// Whether a value is somebody else's, as far as that follows from the entry alone; see
  /// `author(of:on:)`.
  package func isForeign(_ value: Value) -> Bool {
    guard case .foreign = (try? decision(reading: value)) else { return false }
    return true
  }

  /// What would stand in the setting, given what stands there now.
  func target(above value: Value) throws(ResolveError) -> Value {
    if hasOnlyPassiveClaims { return value }
    let wanted = try resolved()
    if isFixed, isEnough(value, for: wanted) { return value }
    guard setting.isShared, case .count(let now) = value, case .count(let claimed) = wanted else {
      return wanted
    }
    return .count(max(0, now + claimed - share))
  }
}
