import Formats
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
        "name":"a/b","pci":[],"schema":1,"source":"libvirt","vcpupin":{},"vcpus":1}
        """)
  }

  @Test func showsPinsPagesAndFunctions() throws {
    #expect(
      try json(pinned) == """
        {"cells":[{"hostNodes":"0","id":0,"memoryKiB":1048576,"mode":"strict","pageKiB":0}],\
        "cpuset":"2-3","emulatorpin":"2","id":"6f0ff3a1-0a2b-4c3d-8e4f-5a6b7c8d9e0f",\
        "iothreadpin":{"1":"4"},"iothreads":1,"name":"vm",\
        "pci":[{"address":"0000:0b:00.3","kind":"hostdev","managed":true}],\
        "schema":1,"source":"libvirt","vcpupin":{"0":"8"},"vcpus":2}
        """)
  }

  @Test func showsAMachineOfProxmoxs() throws {
    let text = """
      affinity: 2-3
      cores: 2
      hostpci0: 01:00.0;02:00,driver=keep
      hostpci1: mapping=gpu
      hostpci2: 00:ff.1,mdev=x
      hugepages: 2
      memory: 1024
      numa: 1
      numa0: cpus=0-1,hostnodes=1,memory=1024,policy=bind
      scsi0: local:a,iothread=1
      scsihw: virtio-scsi-single
      vcpus: 1
      """
    let conf = try ProxmoxConf(Array(text.utf8), named: "100.conf", vmid: "100")
    #expect(
      try JSON.text(of: DomainReport(conf.domain)).filter { !$0.isWhitespace } == """
        {"cells":[{"hostNodes":"1","id":0,"memoryKiB":1048576,"mode":"bind","pageKiB":2048}],\
        "cpuset":"2-3","emulatorpin":null,"id":"100","iothreadpin":{},"iothreads":1,\
        "mapping":["gpu"],"name":"vm100","pci":[\
        {"address":"0000:01:00.0","kind":"hostpci","managed":false},\
        {"address":"0000:00:ff.1","kind":"mdev","managed":true}],\
        "schema":1,"slots":["0000:02:00"],"source":"proxmox","vcpupin":{},"vcpus":2}
        """)
    #expect(DomainReport(conf.domain).lines.count == 12)
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
