package import HostModel

extension Deadline {
  /// A moment that no test lives to see.
  package static let distant = Deadline(nanoseconds: .max)
}
