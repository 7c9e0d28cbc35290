import HostModel
import Testing

@testable import berth

/// What a VM got, and where its memory is.
struct ObservationReportTests {
  private func report(
    _ memory: [MemoryPlace], nodes: [Int] = [1], transparentKiB: Int? = nil
  ) -> ObservationReport {
    let sample = Sample(moment: Deadline(nanoseconds: 0))
    return ObservationReport(
      "win10", Observation(from: sample, to: sample), memory, nodes: nodes,
      transparentKiB: transparentKiB)
  }

  private func place(_ node: Int, _ pageKiB: Int, _ kiB: Int) -> MemoryPlace {
    MemoryPlace(node: node, pageKiB: pageKiB, kiB: kiB)
  }

  @Test func tellsHowMuchOfTheMemoryIsBesideTheVCPUsAndInHugePages() throws {
    let locality = try #require(
      report([place(0, 4, 1000), place(1, 4, 1000), place(1, 2048, 2000)], transparentKiB: 500)
        .locality)
    #expect(locality.nodes == "1" && locality.local == 75 && locality.huge == 62.5)
  }

  @Test func saysNothingOfHugePagesWhereOnlyRootIsTold() {
    #expect(report([place(1, 4, 10)]).locality?.huge == nil)
    #expect(report([place(1, 2048, 4096)]).locality?.huge == 100)
  }

  @Test func saysNothingOfMemoryThatItDoesNotKnow() {
    #expect(report([]).locality == nil)
    #expect(report([place(0, 4, 10)], nodes: []).locality == nil)
  }

  @Test(arguments: [5, 8, 12, 40])
  func foldsAwayWhatWaitedLeast(height: Int) {
    var busy = report([])
    busy.threads = (0..<20).map { number in
      ObservationReport.Thread(
        name: "vCPU \(number)", isVCPU: true, cpus: "\(number)", running: 1,
        waiting: Double(number), preemptions: 0, migrations: nil, deviceInterrupts: nil,
        timerInterrupts: nil, calls: nil)
    }
    let lines = busy.lines(height: height).map(\.rendered)
    #expect(lines.count <= height)
    #expect(lines.contains { $0.contains("vCPU 19 ") })
    if height < 22 { #expect(lines.last?.contains("more threads, which waited less") == true) }
  }

  /// A record may hold any numbers that JSON has.
  @Test(arguments: [
    (1e308, 0), (-1, 0), (.infinity, 0), (.nan, 0), (1, Int.max), (1, -1), (1e16, 1),
  ])
  func aRecordOfWhatCannotBeCountedIsNone(running: Double, kiB: Int) {
    var record = report([place(0, 4, 8)])
    #expect(record.isPlausible)
    record.threads = [
      ObservationReport.Thread(
        name: "vCPU 0", isVCPU: true, cpus: "1", running: running, waiting: 0, preemptions: 0)
    ]
    record.memory = [ObservationReport.Memory(node: 0, pageKiB: 4, kiB: kiB)]
    #expect(!record.isPlausible)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e308, -1e308])
  func everyNumberHasAFigure(number: Double) {
    #expect(!decimal(number).isEmpty)
  }
}
