internal import Bytes
package import HostModel

/// The XML of a libvirt domain, as its hook gets it, as `virsh dumpxml` prints it, or as a person
/// wrote it.
///
/// The rules are those of libvirt's own reader (src/conf/domain_conf.c, numa_conf.c), with its
/// defaults. What libvirt would refuse is refused where it has no meaning (a unit that does not
/// exist); where it only makes no sense (a pin for a vCPU that the domain does not have), it is left
/// out.
package enum DomainXML {
  /// The most bytes that a domain's XML may have: that of 4,096 vCPUs and a thousand disks has one million.
  package static let capacity = 2 << 20

  /// The domain that an XML describes: a `<domain>`, or one within the `<domstatus>` of
  /// `/run/libvirt/qemu/`.
  package static func domain(from bytes: [UInt8]) throws(DomainXMLError) -> Domain {
    if bytes.count > capacity {
      throw DomainXMLError(
        line: 1, column: 1, "it has \(bytes.count) bytes, more than the 2 MiB of any domain's XML")
    }
    return try domain(element(from: bytes, keeping: isRead))
  }

  /// The `<domain>` of an XML, with those elements below it whose path of names, from `<domain>` on,
  /// and namespace are kept.
  package static func element(
    from bytes: [UInt8],
    keeping isKept: @escaping (_ path: ArraySlice<String>, _ namespace: String) -> Bool
  ) throws(DomainXMLError) -> XMLElement {
    let root = try XMLReader.root(of: bytes) { path, namespace in
      path.count == 1
        || isKept(path.first == "domstatus" ? path.dropFirst() : path[...], namespace)
    }
    guard root.namespace.isEmpty, ["domain", "domstatus"].contains(root.name) else {
      throw root.error("the root element is \(quoted(root.name)), not <domain>")
    }
    guard root.name == "domstatus" else { return root }
    guard let element = root.element("domain") else {
      throw root.error("<domstatus> holds no <domain>")
    }
    return element
  }

  /// Whether the element at the end of a path of names says anything to Berth.
  ///
  /// The rest, passwords and the metadata of others among it, is never kept.
  package static func isRead(_ path: ArraySlice<String>, _ namespace: String) -> Bool {
    if path.count == 1 { return path.first == "domain" }
    let start = path.startIndex
    switch path[start + 1] {
    case "devices":
      return path.count == 2 || isReadOfDevice(path.dropFirst(2))
    case "metadata": return path.count == 2 || namespace == Self.namespace
    case "commandline": return namespace == qemu && (path.count == 2 || path.last == "arg")
    case "name", "uuid", "memory", "memoryBacking", "vcpu", "vcpus", "iothreads",
      "iothreadids", "cputune", "numatune", "cpu":
      return true
    default: return false
    }
  }

  /// Which function of the host a device is, and how much memory from where; not its place in the guest.
  private static func isReadOfDevice(_ path: ArraySlice<String>) -> Bool {
    switch path.first {
    case "memory": return true
    case "hostdev", "interface", "disk":
      if path.count == 2, path.last == "address" { return false }
      return path.dropFirst().allSatisfy(
        ["source", "address", "actual", "backingStore", "driver"].contains)
    default: return false
    }
  }

  private static func domain(_ element: XMLElement) throws(DomainXMLError) -> Domain {
    guard let name = element.element("name")?.text, !name.isEmpty else {
      throw element.error("<domain> has no <name>")
    }
    var domain = Domain(
      hypervisor: .libvirt, name: name, id: try uuid(element), vcpus: try vcpus(element))
    domain.offVCPUs = try offVCPUs(element, of: domain.vcpus)
    try readPins(element, into: &domain)
    try readIOThreads(element, into: &domain)
    let memory = try MemoryElements(element)
    domain.cells = try memory.cells()
    domain.memoryDevices = try memory.devices()
    // Whoever adds the parts up must not be made to trap.
    let parts = domain.cells.map(\.memoryKiB) + domain.memoryDevices.map(\.sizeKiB)
    if parts.reduce(0.0, { $0 + Double($1) }) > Double(Int.max / 1024) {
      throw element.error("the VM's memory adds up to more than any host has")
    }
    var known: Set<PCIAddress> = []
    for device in element.elements("devices").flatMap(\.children) {
      // Of two devices that are one function, libvirt starts none.
      domain.functions += try functions(of: device).filter { known.insert($0.address).inserted }
      if let uuid = mediatedDevice(device) { domain.mediatedDevices.append(uuid) }
    }
    for commandLine in element.children where commandLine.namespace == qemu {
      let arguments = arguments(in: commandLine)
      domain.functions += arguments.functions.filter { known.insert($0).inserted }
        .map { PassedFunction(address: $0, isManaged: false, kind: .argument) }
      domain.mediatedDevices += arguments.mediatedDevices
    }
    domain.metadata = metadata(element)
    return domain
  }

  /// The UUID in lower case with its dashes.
  private static func uuid(_ domain: XMLElement) throws(DomainXMLError) -> String? {
    guard let element = domain.element("uuid") else { return nil }
    guard let uuid = VMReference.canonicalUUID(element.text) else {
      throw element.error("<uuid> is \(quoted(element.text)), not a UUID")
    }
    return uuid
  }

  private static func metadata(_ domain: XMLElement) -> [MetadataKey] {
    let roots = domain.elements("metadata").flatMap(\.children).filter { $0.namespace == namespace }
    return roots.flatMap { root in
      root.children.isEmpty ? keys(below: [], [root]) : keys(below: [], root.children)
    }
  }

  /// The namespace of the elements that hand QEMU arguments past libvirt.
  package static let qemu = "http://libvirt.org/schemas/domain/qemu/1.0"

  /// What a `<qemu:commandline>` hands over.
  package static func arguments(in commandLine: XMLElement) -> VFIOArguments {
    VFIOArguments(commandLine.children.compactMap { $0["value"] })
  }

  /// The namespace of Berth's elements in a domain's `<metadata>`.
  package static let namespace = "urn:berth:domain:1"

  private static func keys(below path: [String], _ elements: [XMLElement]) -> [MetadataKey] {
    elements.filter { $0.namespace == namespace }.flatMap { element in
      let path = path + [element.name]
      return element.children.isEmpty
        ? [MetadataKey(key: path.joined(separator: "."), text: element.text.trimmed)]
        : keys(below: path, element.children)
    }
  }
}
