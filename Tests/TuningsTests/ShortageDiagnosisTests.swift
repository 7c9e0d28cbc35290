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
        + "of the node's 16 GiB are free; give the domain less memory, or free memory on node 1")
  }

  @Test func namesTheSmallerPagesThatLieInTheWayOfGiganticOnes() {
    var host = Sample.host
    host.nodes[1].pools[0].free = 512
    let sentence = sentence(1 << 20, need: 4, got: 1, host: host)
    #expect(sentence.contains("512 free 2 MiB pages lie in the way"))
    #expect(sentence.contains("hugepagesz=1G hugepages=1:N"))
  }

  @Test func namesTheCacheOfZFS() {
    var host = Sample.host
    host.hasZFS = true
    #expect(sentence(host: host).contains("zfs_arc_max"))
    #expect(sentence(host: Sample.host).contains("in pieces that cannot be joined"))
  }
}
