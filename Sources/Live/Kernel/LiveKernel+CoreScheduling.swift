internal import CLinux
package import HostModel
internal import SystemCalls

extension LiveKernel {
  package func coreCookie(of tid: Int) throws(HostError) -> UInt64 {
    var cookie: UInt64 = 0
    do throws(CallError) {
      try _ = CallError.check(negated: clinux_core_cookie(Self.threadNumber(tid), &cookie))
    } catch {
      throw HostError(.read, "core cookie of thread \(tid)", errno: error.number)
    }
    return cookie
  }

  package func setCoreCookie(isOwn: Bool, of pid: Int) throws(HostError) {
    do throws(CallError) {
      let number = try Self.threadNumber(pid)
      try _ = CallError.check(
        negated: isOwn ? clinux_make_core_cookie(number) : clinux_take_core_cookie(number))
    } catch {
      throw HostError(.write, "core cookie of process \(pid)", errno: error.number)
    }
  }
}
