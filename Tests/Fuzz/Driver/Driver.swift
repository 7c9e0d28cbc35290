internal import FuzzTargets
internal import Glibc

/// The target that the environment names.
private let target: FuzzTarget = {
  let name = getenv("BERTH_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = FuzzTarget.named(name) else {
    print("BERTH_FUZZ_TARGET is “\(name)”, which is no target")
    exit(2)
  }
  return target
}()

/// What libFuzzer calls with each text.
@c(LLVMFuzzerTestOneInput)
public func check(_ text: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do throws(BrokenPromise) {
    try target.check(Array(UnsafeBufferPointer(start: text, count: count)))
  } catch {
    fatalError("\(error)")
  }
  return 0
}
