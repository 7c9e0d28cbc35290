import HostIO
import HostModel
import Testing

@testable import berth

struct DomainReportTests {
  private func report(_ text: String) throws -> DomainReport {
    DomainReport(try DomainXML.domain(from: Array(text.utf8)))
  }

  /// The report's JSON without the white space that is there for people.
  private func json(_ text: String) throws -> String {
    try JSON.text(of: report(text)).filter { !$0.isWhitespace }
  }

  @Test func saysNullWhereTheDomainSaysNothing() throws {
    #expect(
      try json("<domain><name>a/b</name><memory>1024</memory></domain>") == """
        {"cells":[{"hostNodes":null,"id":0,"memoryKiB":1024,"mode":null,"pageKiB":null}],\
        "cpuset":null,"emulatorpin":null,"id":null,"iothreadpin":{},"iothreads":0,\
        "name":"a/b","pci":[],"source":"libvirt","vcpupin":{},"vcpus":1}
        """)
  }

  @Test func showsPinsPagesAndFunctions() throws {
    #expect(
      try json(pinned) == """
        {"cells":[{"hostNodes":"0","id":0,"memoryKiB":1048576,"mode":"strict","pageKiB":0}],\
        "cpuset":"2-3","emulatorpin":"2","id":"6f0ff3a1-0a2b-4c3d-8e4f-5a6b7c8d9e0f",\
        "iothreadpin":{"1":"4"},"iothreads":1,"name":"vm",\
        "pci":[{"address":"0000:0b:00.3","kind":"hostdev","managed":true}],\
        "source":"libvirt","vcpupin":{"0":"8"},"vcpus":2}
        """)
  }

  private let pinned = """
    <domain><name>vm</name><uuid>6f0ff3a1-0a2b-4c3d-8e4f-5a6b7c8d9e0f</uuid>
    <memory unit="GiB">2</memory><memoryBacking><hugepages/></memoryBacking>
    <vcpu cpuset="2-3">2</vcpu><iothreads>1</iothreads>
    <cputune><vcpupin vcpu="0" cpuset="8"/><emulatorpin cpuset="2"/>
    <iothreadpin iothread="1" cpuset="4"/></cputune>
    <numatune><memory nodeset="0"/></numatune>
    <devices><hostdev mode="subsystem" type="pci" managed="yes"><source>
    <address bus="0x0b" function="3"/></source></hostdev>
    <memory model="dimm"><target><size unit="GiB">1</size></target></memory></devices></domain>
    """
}
