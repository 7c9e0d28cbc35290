internal import HostModel

extension DomainXML {
  /// The greatest number of vCPUs; 1 where the domain does not say.
  static func vcpus(_ domain: XMLElement) throws(DomainXMLError) -> Int {
    guard let element = domain.element("vcpu") else { return 1 }
    let vcpus = try element.number()
    if vcpus == 0 { throw element.error("<vcpu> is 0: a domain has at least one vCPU") }
    return vcpus
  }

  /// The vCPUs that are off: those that `<vcpus>` does not enable, or, without it, all from
  /// `vcpu@current` on (`virDomainVcpuParse()`).
  static func offVCPUs(_ domain: XMLElement, of vcpus: Int) throws(DomainXMLError) -> CPUList {
    let most = min(vcpus, CPUList.capacity)
    let listed = domain.elements("vcpus", "vcpu")
    if listed.isEmpty {
      guard let current = try domain.element("vcpu")?.number("current"), current > 0,
        current < most
      else { return [] }
      return CPUList(current..<most)
    }
    var off = CPUList(0..<most)
    for vcpu in listed where vcpu["enabled"] == "yes" {
      guard let id = try vcpu.number("id") else { continue }
      off.remove(id)
    }
    // A domain of which nothing is on does not start.
    return off.count == most ? [] : off
  }

  /// Reads `vcpupin`, `vcpu@cpuset`, `emulatorpin` and `vcpusched`.
  static func readPins(
    _ element: XMLElement, into domain: inout Domain
  ) throws(DomainXMLError) {
    for pin in element.elements("cputune", "vcpupin") {
      let (vcpu, cpus) = try thread("vcpu", of: pin)
      // libvirt keeps such pins for vCPUs that a later start may have.
      if vcpu >= domain.vcpus { continue }
      if domain.vcpuPins.updateValue(cpus, forKey: vcpu) != nil {
        throw pin.error("vCPU \(vcpu) has two <vcpupin>")
      }
    }
    if let vcpu = element.element("vcpu"), vcpu["placement"] != "auto",
      let cpus = try vcpu.cpus("cpuset")
    {
      domain.commonPin = cpus
      for number in 0..<domain.vcpus where domain.vcpuPins[number] == nil {
        domain.vcpuPins[number] = cpus
        domain.vcpusPinnedTogether.insert(number)
      }
    }
    let emulatorPins = element.elements("cputune", "emulatorpin")
    if emulatorPins.count > 1 { throw emulatorPins[1].error("a second <emulatorpin>") }
    for pin in emulatorPins {
      _ = try pin.required("cpuset")
      domain.emulatorPin = try pin.cpus("cpuset")
    }
    for scheduler in element.elements("cputune", "vcpusched") {
      _ = try scheduler.required("vcpus")
      let vcpus = try scheduler.cpus("vcpus") ?? []
      domain.scheduledVCPUs = domain.scheduledVCPUs.union(vcpus)
    }
  }

  /// Reads `iothreads`, `iothreadids` and `iothreadpin`.
  ///
  /// The identities that `iothreadids` does not give are the lowest that are free, from 1 on
  /// (`virDomainIOThreadIDDefArrayInit()`).
  static func readIOThreads(
    _ element: XMLElement, into domain: inout Domain
  ) throws(DomainXMLError) {
    var ids: Set<Int> = []
    for thread in element.elements("iothreadids", "iothread") {
      _ = try thread.required("id")
      guard let id = try thread.number("id"), id > 0 else {
        throw thread.error("id= of <iothread> is 0: iothreads are counted from 1")
      }
      if !ids.insert(id).inserted { throw thread.error("two iothreads have the id \(id)") }
    }
    domain.iothreads = max(try element.element("iothreads")?.number() ?? 0, ids.count)
    var next = 1
    while ids.count < domain.iothreads {
      ids.insert(next)
      next += 1
    }
    domain.iothreadIDs = ids.sorted()
    for pin in element.elements("cputune", "iothreadpin") {
      let (id, cpus) = try thread("iothread", of: pin)
      if !ids.contains(id) { throw pin.error("<iothreadpin> is for iothread \(id), which is none") }
      if domain.iothreadPins.updateValue(cpus, forKey: id) != nil {
        throw pin.error("iothread \(id) has two <iothreadpin>")
      }
    }
  }

  /// The thread and the CPUs of one pin.
  private static func thread(
    _ attribute: String, of pin: XMLElement
  ) throws(DomainXMLError) -> (Int, CPUList) {
    _ = try pin.required(attribute)
    _ = try pin.required("cpuset")
    return (try pin.number(attribute) ?? 0, try pin.cpus("cpuset") ?? [])
  }
}
