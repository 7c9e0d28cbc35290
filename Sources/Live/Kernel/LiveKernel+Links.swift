internal import Bytes
import CLinux
package import HostModel
internal import Port
internal import SystemCalls

extension LiveKernel {
  package func virtualFunctions(
    of interface: String, until deadline: Deadline
  ) throws(HostError) -> [VirtualFunctionState] {
    let index = try index(of: interface)
    do throws(HostError) {
      let answer = try ask(LinkMessage.query(index), until: deadline)
      return try Self.checked { () throws(CallError) in try LinkMessage.functions(in: answer) }
    } catch {
      var failure = HostError(
        .read, "VFs of \(interface)", errno: error.errno, diagnosis: error.diagnosis)
      failure.leftBehind = error.leftBehind
      throw failure
    }
  }

  package func set(
    _ attribute: VirtualFunctionAttribute, to text: String, ofVirtualFunction number: Int,
    of interface: String, until deadline: Deadline
  ) throws(HostError) {
    let index = try index(of: interface)
    do throws(HostError) {
      let order = try Self.checked { () throws(CallError) in
        guard let number = UInt32(exactly: number) else { throw CallError(number: 22) }
        return try LinkMessage.order(index, number, attribute, text)
      }
      let answer = try ask(order, until: deadline)
      try Self.checked { () throws(CallError) in try LinkMessage.acknowledge(answer) }
    } catch {
      var failure = HostError(
        .write, "\(attribute.rawValue) of VF \(number) of \(interface)", value: text,
        errno: error.errno, diagnosis: error.diagnosis ?? Self.diagnosis(of: error))
      failure.leftBehind = error.leftBehind
      throw failure
    }
  }

  /// An interface's name may be given to another one; its number is not.
  private func index(of interface: String) throws(HostError) -> UInt32 {
    let path: HostPath = "/sys/class/net/\(interface)/ifindex"
    guard let index = UInt32(exactly: try number(of: path, as: .integer)) else {
      throw HostError(.read, path, errno: ErrorNumber.invalid.number)
    }
    return index
  }

  /// Stands for the lock over all interfaces, under which the kernel answers each message
  /// (net/core/rtnetlink.c, `rtnetlink_rcv_msg()`): whoever waits for it keeps off all others.
  private static let rtnetlink: HostPath = "/proc/net/netlink"

  private func ask(_ request: [UInt8], until deadline: Deadline) throws(HostError) -> [UInt8] {
    var answer = [UInt8](repeating: 0, count: LinkMessage.capacity)
    let length = try abandonably(.call, Self.rtnetlink, until: deadline) { deadline, leftBehind in
      clinux_ask_rtnetlink(
        request, request.count, &answer, answer.count, deadline, &leftBehind)
    }
    return Array(answer.prefix(length))
  }

  private static func checked<Result>(
    _ body: () throws(CallError) -> Result
  ) throws(HostError) -> Result {
    do throws(CallError) {
      return try body()
    } catch {
      throw HostError(.call, rtnetlink, errno: error.number)
    }
  }

  private static func diagnosis(of error: HostError) -> String? {
    switch ErrorNumber(error.errno) {
    case .notSupported: "the driver of this interface cannot set it"
    case .invalid: "the driver of this interface does not take that"
    case .timedOut: "the kernel did not answer in time"
    default: nil
    }
  }
}
