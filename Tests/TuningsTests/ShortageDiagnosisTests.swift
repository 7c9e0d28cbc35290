import HostModel
import Testing

@testable import Tunings

struct ShortageDiagnosisTests {
  private func sentence(
    _ pageKiB: Int = 2048, need: Int = 2048, got: Int = 937, host: HostFacts
  ) -> String {
    ShortageDiagnosis.sentence(
      domain: "win10", pool: HugepagePool(node: 1, pageKiB: pageKiB), need: need, got: got,
      milliseconds: 12_345, host: host)
  }

  @Test func saysNeededGotNodeSizeTimeReasonAndRemedyInOneLine() {
    var host = Sample.host
    host.nodes[1].freeKiB = 600 << 10
    #expect(
      sentence(host: host)
        == "win10 needs 2048 huge pages of 2 MiB (4 GiB) on node 1, got 937 in 12 s: only 600 MiB "
        + "of the node's 16 GiB are free; give the VM 1.8 GiB there at most, or free memory on node 1"
    )
  }

  /// What has the memory, the greatest first, and what is too little to be named.
  @Test func namesWhoHasTheMemory() {
    var host = Sample.host
    host.nodes[1].freeKiB = 300 << 10
    host.nodes[1].reclaimableKiB = 512 << 10
    host.nodes[1].pools[0] = PoolFacts(pageKiB: 2048, total: 937 + 1024, free: 937, surplus: 0)
    host.nodes[1].use.programsKiB = 5 << 20
    host.nodes[1].use.sharedKiB = 1 << 20
    host.nodes[1].use.kernelKiB = 100 << 10
    let words =
      "only 300 MiB of the node's 16 GiB are free and 512 MiB cached, as programs have 5 GiB, "
    #expect(
      sentence(host: host).contains(
        words + "other huge pages have 2 GiB, tmpfs and shared memory have 1 GiB; give"))
    host.hasZFS = true
    host.arcKiB = 8 << 20
    #expect(
      sentence(host: host).contains("as the cache of ZFS (ARC) has 8 GiB, programs have 5 GiB"))
    #expect(sentence(host: host).contains("at most, or lower zfs_arc_max"))
    #expect(sentence(got: 0, host: host).contains("give the VM memory of another node"))
  }

  @Test func namesTheSmallerPagesThatLieInTheWayOfGiganticOnes() {
    var host = Sample.host
    host.nodes[1].pools[0].free = 512
    let sentence = sentence(1 << 20, need: 4, got: 1, host: host)
    #expect(sentence.contains("512 free 2 MiB pages lie in the way"))
    #expect(sentence.contains("hugepagesz=1G hugepages=1:4"))
  }

  @Test func namesTheCacheOfZFS() {
    var host = Sample.host
    host.hasZFS = true
    host.arcKiB = 3 << 20
    #expect(sentence(host: host).contains("the cache of ZFS (3 GiB) cannot be moved"))
    #expect(sentence(host: host).contains("zfs_arc_max"))
    #expect(sentence(host: Sample.host).contains("in pieces that cannot be joined"))
  }
}
