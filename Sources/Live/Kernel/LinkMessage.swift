import HostModel
internal import SystemCalls

/// Requests to rtnetlink(7) about the virtual functions of one interface, and what it answers.
///
/// Numbers are in the order of this machine's bytes, and attributes begin at multiples of four
/// (netlink(7), include/uapi/linux/if_link.h).
enum LinkMessage {
  private enum Kind {
    static let error: UInt16 = 2
    static let newLink: UInt16 = 16
    static let getLink: UInt16 = 18
    static let setLink: UInt16 = 19
  }

  private enum Flags {
    static let request: UInt16 = 1
    static let acknowledge: UInt16 = 4
  }

  /// `IFLA_…` of an interface.
  private enum Link {
    static let functions: UInt16 = 22
    static let extensions: UInt16 = 29
  }

  /// `RTEXT_FILTER_VF` and `RTEXT_FILTER_SKIP_STATS`.
  private static let functionsWithoutCounters: UInt32 = 1 | 8

  private static let functionInfo: UInt16 = 1

  /// `IFLA_VF_…`.
  private enum Info {
    static let mac: UInt16 = 1
    static let vlan: UInt16 = 2
    static let spoofCheck: UInt16 = 4
    static let trust: UInt16 = 9
    static let vlans: UInt16 = 12
  }

  private static let vlanInfo: UInt16 = 1

  /// The greatest answer: what is told of an interface's functions fits into 64 KiB, the length of
  /// an attribute, and the rest of it into as much again.
  static let capacity = 128 << 10

  /// Asks for all virtual functions of an interface.
  static func query(_ interface: UInt32) -> [UInt8] {
    message(
      Kind.getLink, Flags.request, interface,
      attribute(Link.extensions, bytes(functionsWithoutCounters)))
  }

  /// Tells the driver of an interface what a virtual function is to be.
  ///
  /// - Throws: `EINVAL` for a text that says nothing.
  static func order(
    _ interface: UInt32, _ function: UInt32, _ attribute: VirtualFunctionAttribute, _ text: String
  ) throws(CallError) -> [UInt8] {
    guard let info = info(function, attribute, text) else { throw CallError(number: 22) }
    return message(
      Kind.setLink, Flags.request | Flags.acknowledge, interface,
      self.attribute(Link.functions, self.attribute(functionInfo, info)))
  }

  private static func info(
    _ function: UInt32, _ attribute: VirtualFunctionAttribute, _ text: String
  ) -> [UInt8]? {
    let head = bytes(function)
    switch attribute {
    case .mac:
      guard let mac = MACAddress(text) else { return nil }
      // As long as the longest address of any kind of link (MAX_ADDR_LEN).
      let padding = [UInt8](repeating: 0, count: 32 - mac.bytes.count)
      return self.attribute(Info.mac, head + mac.bytes + padding)
    case .vlan:
      guard let vlan = VLANTag(text) else { return nil }
      let tag = head + bytes(UInt32(vlan.id)) + bytes(UInt32(vlan.priority))
      if vlan.ethertype == VLANTag.usualEthertype { return self.attribute(Info.vlan, tag) }
      let type = [UInt8(vlan.ethertype >> 8), UInt8(vlan.ethertype & 0xff), 0, 0]
      return self.attribute(Info.vlans, self.attribute(vlanInfo, tag + type))
    case .trust, .spoofCheck:
      guard text == "on" || text == "off" else { return nil }
      return self.attribute(
        attribute == .trust ? Info.trust : Info.spoofCheck,
        head + bytes(UInt32(text == "on" ? 1 : 0)))
    }
  }

  /// Finds out whether an order was carried out.
  static func acknowledge(_ answer: [UInt8]) throws(CallError) {
    _ = try payload(of: answer, Kind.error)
  }

  /// What is told of the virtual functions of an interface; ascending by their numbers.
  static func functions(in answer: [UInt8]) throws(CallError) -> [VirtualFunctionState] {
    // The attributes follow upon `struct ifinfomsg`.
    let payload = try payload(of: answer, Kind.newLink).dropFirst(16)
    var states: [VirtualFunctionState] = []
    for (kind, list) in attributes(payload) where kind == Link.functions {
      for (kind, info) in attributes(list) where kind == functionInfo {
        if let state = state(info) { states.append(state) }
      }
    }
    return states.sorted { $0.index < $1.index }
  }

  private static func state(_ info: ArraySlice<UInt8>) -> VirtualFunctionState? {
    var state: VirtualFunctionState?
    for (kind, value) in attributes(info) {
      guard kind != Info.vlans else {
        for (kind, tag) in attributes(value) where kind == vlanInfo && tag.count >= 14 {
          let type = tag.dropFirst(12).prefix(2).reduce(0) { $0 << 8 | UInt16($1) }
          state?[.vlan] = vlan(tag, type)
        }
        continue
      }
      guard value.count >= 8, let index = number(value).flatMap({ Int(exactly: $0) }) else {
        continue
      }
      var found = state ?? VirtualFunctionState(index: index)
      switch kind {
      case Info.mac where value.count >= 10:
        found[.mac] = MACAddress(Array(value.dropFirst(4).prefix(6))).description
      case Info.vlan where value.count >= 12:
        found[.vlan] = vlan(value, VLANTag.usualEthertype)
      case Info.spoofCheck: found[.spoofCheck] = word(value)
      case Info.trust: found[.trust] = word(value)
      default: break
      }
      state = found
    }
    return state
  }

  private static func vlan(_ tag: ArraySlice<UInt8>, _ ethertype: UInt16) -> String? {
    guard let id = number(tag.dropFirst(4)), let priority = number(tag.dropFirst(8)) else {
      return nil
    }
    return VLANTag(id: Int(id), priority: Int(priority), ethertype: ethertype)?.description
  }

  /// The kernel fills in -1 for a driver that does not tell (net/core/rtnetlink.c,
  /// `rtnl_fill_vfinfo()`).
  private static func word(_ value: ArraySlice<UInt8>) -> String? {
    switch number(value.dropFirst(4)) {
    case 0: "off"
    case 1: "on"
    default: nil
    }
  }
}

/// How the messages are put together and taken apart.
extension LinkMessage {
  private static func message(
    _ kind: UInt16, _ flags: UInt16, _ interface: UInt32, _ attributes: [UInt8]
  ) -> [UInt8] {
    // `struct ifinfomsg`: family, type, index, flags, mask of flags.
    let body = bytes(UInt32(0)) + bytes(interface) + bytes(UInt64(0)) + attributes
    return bytes(UInt32(16 + body.count)) + bytes(kind) + bytes(flags) + bytes(UInt32(1))
      + bytes(UInt32(0)) + body
  }

  private static func attribute(_ kind: UInt16, _ value: [UInt8]) -> [UInt8] {
    let padding = [UInt8](repeating: 0, count: -value.count & 3)
    return bytes(UInt16(4 + value.count)) + bytes(kind) + value + padding
  }

  private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number) { Array($0) }
  }

  /// What follows upon the header of the first message.
  ///
  /// - Throws: The error that the kernel tells in its place, `EBADMSG` for what is neither.
  private static func payload(
    of answer: [UInt8], _ kind: UInt16
  ) throws(CallError) -> ArraySlice<UInt8> {
    guard let length = number(answer[...]), length >= 16, length <= answer.count else {
      throw CallError(number: 74)
    }
    let payload = answer[16..<Int(length)]
    let found = half(answer.dropFirst(4))
    if found == Kind.error {
      guard let result = number(payload).map({ Int32(bitPattern: $0) }) else {
        throw CallError(number: 74)
      }
      if result < 0, result > -4096 { throw CallError(number: -result) }
    }
    if found != kind { throw CallError(number: 74) }
    return payload
  }

  /// The attributes that stand one after the other, up to the first that does not fit.
  private static func attributes(
    _ bytes: ArraySlice<UInt8>
  ) -> [(kind: UInt16, value: ArraySlice<UInt8>)] {
    var found: [(UInt16, ArraySlice<UInt8>)] = []
    var rest = bytes
    while let length = half(rest).map({ Int($0) }), length >= 4, length <= rest.count,
      let kind = half(rest.dropFirst(2))
    {
      // The two highest bits say that attributes are nested, and the order of bytes.
      found.append((kind & 0x3fff, rest.prefix(length).dropFirst(4)))
      rest = rest.dropFirst(length + (-length & 3))
    }
    return found
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32? {
    guard bytes.count >= 4 else { return nil }
    return bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
  }

  private static func half(_ bytes: ArraySlice<UInt8>) -> UInt16? {
    guard bytes.count >= 2 else { return nil }
    return bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt16.self) }
  }
}
