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
    do throws(CallError) {
      let answer = try ask(LinkMessage.query(index), until: deadline)
      return try LinkMessage.functions(in: answer)
    } catch {
      throw HostError(.read, "VFs of \(interface)", errno: error.number)
    }
  }

  package func set(
    _ attribute: VirtualFunctionAttribute, to text: String, ofVirtualFunction number: Int,
    of interface: String, until deadline: Deadline
  ) throws(HostError) {
    let index = try index(of: interface)
    do throws(CallError) {
      guard let number = UInt32(exactly: number) else { throw CallError(number: 22) }
      let order = try LinkMessage.order(index, number, attribute, text)
      try LinkMessage.acknowledge(try ask(order, until: deadline))
    } catch {
      throw HostError(
        .write, "\(attribute.rawValue) of VF \(number) of \(interface)", value: text,
        errno: error.number, diagnosis: Self.diagnosis(of: error, attribute))
    }
  }

  /// An interface's name may be given to another one; its number is not.
  private func index(of interface: String) throws(HostError) -> UInt32 {
    let path: HostPath = "/sys/class/net/\(interface)/ifindex"
    guard let index = UInt32(exactly: try number(of: path)) else {
      throw HostError(.read, path, errno: ErrorNumber.invalid.number)
    }
    return index
  }

  private func ask(_ request: [UInt8], until deadline: Deadline) throws(CallError) -> [UInt8] {
    var answer = [UInt8](repeating: 0, count: LinkMessage.capacity)
    var leftBehind: Int32 = 0
    let length = try CallError.check(
      negated: clinux_ask_rtnetlink(
        request, request.count, &answer, answer.count, deadline.nanoseconds, &leftBehind))
    return Array(answer.prefix(length))
  }

  private static func diagnosis(
    of error: CallError, _ attribute: VirtualFunctionAttribute
  ) -> String? {
    switch ErrorNumber(error.number) {
    case .notSupported: "the driver of this interface cannot set it"
    case .invalid: "the driver of this interface does not take that"
    case .timedOut: "the kernel did not answer in time"
    default: nil
    }
  }
}
