internal import Bytes
internal import HostModel

/// Values as libvirt reads them, each with the place of its element where it means nothing.
extension XMLElement {
  /// What an attribute holds that the element cannot do without.
  func required(_ attribute: String) throws(DomainXMLError) -> String {
    guard let value = self[attribute] else { throw error("<\(name)> has no \(attribute)=") }
    return value
  }

  /// A number of vCPUs, cells or iothreads; nil where the attribute is missing.
  func number(_ attribute: String) throws(DomainXMLError) -> Int? {
    guard let value = self[attribute] else { return nil }
    return try number(value, named: "\(attribute)= of <\(name)>")
  }

  /// The number that is the element's text.
  func number() throws(DomainXMLError) -> Int { try number(text, named: "<\(name)>") }

  private func number(_ value: String, named place: String) throws(DomainXMLError) -> Int {
    let digits = value.trimmed
    // The limit of libvirt's bit maps (VIR_DOMAIN_CPUMASK_LEN), here for every count: none of
    // them may make Berth ask for gigabytes.
    guard digits.utf8.allSatisfy(\.isDigit), let number = Int(digits),
      number <= CPUList.capacity
    else { throw error("\(place) is \(quoted(value)), not a number up to \(CPUList.capacity)") }
    return number
  }

  /// The CPUs or nodes that an attribute names, at least one; nil where it is missing.
  func cpus(_ attribute: String) throws(DomainXMLError) -> CPUList? {
    guard let value = self[attribute] else { return nil }
    return try cpus(value, named: "\(attribute)= of <\(name)>")
  }

  /// The CPUs or nodes that the element's text names.
  func cpus() throws(DomainXMLError) -> CPUList { try cpus(text, named: "<\(name)>") }

  private func cpus(_ value: String, named place: String) throws(DomainXMLError) -> CPUList {
    let list: CPUList
    do throws(CPUListError) {
      list = try CPUList(parsing: value, allowsExclusions: true)
    } catch {
      throw self.error("\(place) is \(quoted(value)), not a list such as 0-3,8")
    }
    if list.isEmpty { throw error("\(place) is \(quoted(value)), which names nothing") }
    return list
  }

  /// Whether an attribute says `yes`; nil where it is missing.
  func flag(_ attribute: String) throws(DomainXMLError) -> Bool? {
    switch self[attribute] {
    case nil: return nil
    case "yes": return true
    case "no": return false
    case let value?:
      throw error("\(attribute)= of <\(name)> is \(quoted(value)), neither “yes” nor “no”")
    }
  }

  /// An amount of memory in the element's text, with its `unit=`.
  func memoryKiB() throws(DomainXMLError) -> Int {
    try memoryKiB(text, unit: self["unit"], named: "<\(name)>")
  }

  /// An amount of memory in an attribute, with the element's `unit=`; nil where it is missing.
  func memoryKiB(_ attribute: String) throws(DomainXMLError) -> Int? {
    guard let value = self[attribute] else { return nil }
    return try memoryKiB(value, unit: self["unit"], named: "\(attribute)= of <\(name)>")
  }

  /// What 52 bits of a physical address reach, in bytes: no processor has more.
  ///
  /// All that a document may hold of such amounts adds up without overflow, also when it is counted in
  /// KiB by pages.
  private static let memoryLimit = 1 << 52

  private func memoryKiB(
    _ value: String, unit: String?, named place: String
  ) throws(DomainXMLError) -> Int {
    let digits = value.trimmed
    guard !digits.isEmpty, digits.utf8.allSatisfy(\.isDigit) else {
      throw error("\(place) is \(quoted(value)), not an amount of memory")
    }
    guard let scale = MemoryUnit.bytes(in: unit ?? "") else {
      throw error("the unit of \(place) is \(quoted(unit ?? "")), not one such as KiB or GB")
    }
    let bytes = (Int(digits) ?? .max).multipliedReportingOverflow(by: scale)
    guard !bytes.overflow, bytes.partialValue <= Self.memoryLimit else {
      throw error("\(place) is \(quoted(value)), more than any host has")
    }
    return bytes.partialValue / 1024 + (bytes.partialValue % 1024 == 0 ? 0 : 1)
  }

  /// The PCI function that the element's attributes name.
  ///
  /// Each is a number of C: `0x0b`, `11` or `013`; one that is missing is 0.
  func pciAddress() throws(DomainXMLError) -> PCIAddress {
    let parts = [
      try pciNumber("domain"), try pciNumber("bus"), try pciNumber("slot"),
      try pciNumber("function"),
    ]
    guard
      let address = PCIAddress(
        domain: parts[0], bus: parts[1], slot: parts[2], function: parts[3])
    else { throw error("<\(name)> is no address that a PCI function can have") }
    return address
  }

  private func pciNumber(_ attribute: String) throws(DomainXMLError) -> Int {
    guard let value = self[attribute] else { return 0 }
    let digits = value.trimmed.lowercasedASCII
    let hexadecimal = digits.rest(after: "0x")
    let numerals = hexadecimal ?? digits[...]
    let radix = hexadecimal != nil ? 16 : digits.begins(with: "0") ? 8 : 10
    guard numerals.utf8.allSatisfy({ $0.hexDigitValue != nil }),
      let number = Int(numerals, radix: radix)
    else {
      throw error("\(attribute)= of <\(name)> is \(quoted(value)), not a number such as 0x0b")
    }
    return number
  }
}

/// The units that libvirt knows for amounts of memory (`virScaleInteger()`).
enum MemoryUnit {
  /// How many bytes a unit has, KiB where none is given; nil for an unknown one.
  ///
  /// `K` and `KiB` are 1024 bytes, `KB` 1000; case does not count.
  static func bytes(in unit: String) -> Int? {
    let unit = unit.lowercasedASCII
    if unit.isEmpty { return 1024 }
    if ["b", "byte", "bytes"].contains(unit) { return 1 }
    guard let power = "kmgtpe".utf8.enumerated().first(where: { $0.element == unit.utf8.first })
    else { return nil }
    let base: Int
    switch unit.droppingFirst() {
    case "", "ib": base = 1024
    case "b": base = 1000
    default: return nil
    }
    return (0...power.offset).reduce(1) { scale, _ in scale * base }
  }
}
