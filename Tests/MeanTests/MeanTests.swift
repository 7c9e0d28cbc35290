import Foundation
import HostModel
import Testing

/// Random histories of the program itself in a world that is meaner than the real one: plans are made
/// of the host as it is, others act between any two steps, and everything takes time.
///
/// `BERTH_MEAN_HISTORIES` sets their number, `BERTH_SOAK_SEED` the first seed, and `BERTH_MEAN_PARTS`
/// how many are played at a time. Of each kind of failure the first prints its seed, and the shortest
/// history that fails in the same way.
struct MeanTests {
  private static func number(_ name: String, else fallback: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? fallback
  }

  @Test(arguments: 0..<parts)
  func whateverHappensAtTheSameTimeTheHostIsAsOthersLeftItInTheEnd(part: UInt64) throws {
    let count = Self.number("BERTH_MEAN_HISTORIES", else: 300) / Self.parts
    let first = Self.number("BERTH_SOAK_SEED", else: 1) + part * count
    var tally = Tally()
    var reports = Self.kinds.flatMap { Array(repeating: $0, count: Self.reports) }
    var files = try HostFiles()
    for seed in first..<first + count {
      let history = MeanHistory(seed: seed)
      let performance = try MeanPerformance(of: history, on: files)
      tally += performance.tally
      if performance.findings.isEmpty, try files.reset() { continue }
      files = try HostFiles()
      for kind in Finding.Kind.allCases {
        guard performance.findings.contains(where: { $0.kind == kind }),
          let index = reports.firstIndex(of: kind)
        else { continue }
        reports.remove(at: index)
        Issue.record("\(try Self.report(kind, history))")
      }
    }
    print(tally)
    #expect(tally.crashes > 0 && tally.refusals > 0 && tally.hangs > 0 && tally.mutes > 0)
    #expect(tally.findings.isEmpty, "\(tally)")
  }

  private static let parts = number("BERTH_MEAN_PARTS", else: 1)

  /// Histories that have failed once, as short as they are.
  @Test(arguments: [
    // A function is taken off the bus by the child of a hook that was killed, while others look.
    MeanHistory(
      seed: 1033,
      [
        MeanHistory.Moment(at: 22_003, act: .live(Life(guest: 4, runs: 5_000))),
        MeanHistory.Moment(at: 22_043, act: .kill(0)),
      ]),
    // A card is lent anew while it is given back.
    MeanHistory(
      seed: 2,
      [
        MeanHistory.Moment(at: 40, act: .live(Life(guest: 3, runs: 40_000))),
        MeanHistory.Moment(at: 80, act: .live(Life(guest: 3, runs: 500))),
      ]),
    // A card is claimed by the next start while somebody is still busy with what else goes back.
    MeanHistory(
      seed: 127,
      [
        MeanHistory.Moment(at: 3, act: .live(Life(guest: 1, runs: 5_000, deaths: [.start: 24]))),
        MeanHistory.Moment(at: 2_003, act: .live(Life(guest: 4, runs: 500))),
        MeanHistory.Moment(at: 2_043, act: .live(Life(guest: 0, runs: 500))),
        MeanHistory.Moment(at: 2_043, act: .live(Life(guest: 4, runs: 40_000))),
        MeanHistory.Moment(at: 2_046, act: .reconcile),
        MeanHistory.Moment(at: 2_046, act: .live(Life(guest: 2, runs: 500, isSilent: true))),
        MeanHistory.Moment(at: 2_086, act: .live(Life(guest: 0, runs: 500))),
      ]),
    // A CPU is offline when a kernel thread is to have it back: what it was given does not show.
    MeanHistory(
      seed: 101_176,
      [
        MeanHistory.Moment(
          at: 2_000, act: .live(Life(guest: 0, runs: 40_000, isUnrecognised: true))),
        MeanHistory.Moment(at: 22_040, act: .offline(cpu: 5, milliseconds: 40_000)),
      ]),
    // A CPU is offline when a kernel thread is first claimed: what it has does not show.
    MeanHistory(
      seed: 900_182,
      [
        MeanHistory.Moment(at: 300, act: .live(Life(guest: 0, runs: 40_000, isUnrecognised: true))),
        MeanHistory.Moment(at: 640, act: .offline(cpu: 7, milliseconds: 40_000)),
      ]),
    // A VM comes again while the reconcile of its last run lists who stands by, which takes seconds.
    MeanHistory(
      seed: 903_437,
      [
        MeanHistory.Moment(at: 0, act: .live(Life(guest: 2, runs: 900_000))),
        MeanHistory.Moment(at: 3, act: .live(Life(guest: 2, runs: 500, fails: true))),
        MeanHistory.Moment(at: 43, act: .live(Life(guest: 0, runs: 40_000))),
        MeanHistory.Moment(at: 43, act: .live(Life(guest: 0, runs: 40_000))),
        MeanHistory.Moment(at: 46, act: .live(Life(guest: 0, runs: 20))),
      ]),
    // What a release is to give back is locked by others, one after the other.
    MeanHistory(
      seed: 905_348,
      [
        MeanHistory.Moment(at: 40, act: .proxmox(pages: 32, milliseconds: 3_000)),
        MeanHistory.Moment(at: 340, act: .live(Life(guest: 1, runs: 5_000, fails: true))),
        MeanHistory.Moment(at: 380, act: .live(Life(guest: 0, runs: 500))),
        MeanHistory.Moment(at: 680, act: .live(Life(guest: 0, runs: 40_000, fails: true))),
        MeanHistory.Moment(at: 680, act: .live(Life(guest: 0, runs: 900_000))),
        MeanHistory.Moment(at: 683, act: .live(Life(guest: 3, runs: 40_000))),
        MeanHistory.Moment(at: 983, act: .live(Life(guest: 2, runs: 20))),
      ]),
    // Proxmox takes pages off that two VMs on their way in have obtained, and each sees the other as the one
    // that lacks them.
    MeanHistory(
      seed: 904_163,
      [
        MeanHistory.Moment(at: 0, act: .live(Life(guest: 1, runs: 40_000))),
        MeanHistory.Moment(at: 0, act: .live(Life(guest: 1, runs: 900_000))),
        MeanHistory.Moment(at: 0, act: .proxmox(pages: 27, milliseconds: 50)),
        MeanHistory.Moment(at: 3, act: .live(Life(guest: 3, runs: 5_000))),
        MeanHistory.Moment(at: 3, act: .live(Life(guest: 3, runs: 40_000))),
        MeanHistory.Moment(at: 3, act: .offline(cpu: 6, milliseconds: 40_000)),
        MeanHistory.Moment(at: 2_003, act: .live(Life(guest: 2, runs: 500))),
        MeanHistory.Moment(at: 2_003, act: .live(Life(guest: 3, runs: 900_000))),
      ]),
    // A QEMU ends between the two numbers that make a pool's persistent pages.
    MeanHistory(
      seed: 1_005_595,
      [
        MeanHistory.Moment(at: 0, act: .live(Life(guest: 3, runs: 500))),
        MeanHistory.Moment(at: 40, act: .change(3, value: "2-3")),
        MeanHistory.Moment(at: 40, act: .live(Life(guest: 2, runs: 40_000))),
        MeanHistory.Moment(at: 2_040, act: .live(Life(guest: 2, runs: 20))),
        MeanHistory.Moment(at: 2_340, act: .reconcile),
      ]),
    // A VM on its way in has obtained its pages after a reset, which took those of another one.
    MeanHistory(
      seed: 1_006_915,
      [
        MeanHistory.Moment(at: 3, act: .live(Life(guest: 2, runs: 900_000, fails: true))),
        MeanHistory.Moment(at: 43, act: .live(Life(guest: 4, runs: 900_000))),
        MeanHistory.Moment(at: 83, act: .live(Life(guest: 0, runs: 500, isSilent: true))),
        MeanHistory.Moment(at: 123, act: .live(Life(guest: 4, runs: 900_000))),
      ]),
    // A VM leaves between what a start counts and what it writes.
    MeanHistory(
      seed: 2_002_975,
      [
        MeanHistory.Moment(at: 0, act: .change(1, value: "31")),
        MeanHistory.Moment(at: 2_000, act: .live(Life(guest: 0, runs: 500))),
        MeanHistory.Moment(at: 2_040, act: .live(Life(guest: 0, runs: 40_000))),
        MeanHistory.Moment(at: 2_043, act: .live(Life(guest: 4, runs: 500))),
        MeanHistory.Moment(at: 2_043, act: .proxmox(pages: 28, milliseconds: 60_000)),
      ]),
    // Pages are promised to a VM that does not come any more, and Proxmox has taken them off.
    MeanHistory(
      seed: 1_007_303,
      [
        MeanHistory.Moment(at: 40, act: .live(Life(guest: 1, runs: 20))),
        MeanHistory.Moment(at: 80, act: .proxmox(pages: 22, milliseconds: 60_000)),
        MeanHistory.Moment(at: 83, act: .mute(milliseconds: 4_000)),
        MeanHistory.Moment(at: 2_083, act: .kill(3)),
        MeanHistory.Moment(at: 4_083, act: .proxmox(pages: 35, milliseconds: 60_000)),
        MeanHistory.Moment(at: 24_083, act: .live(Life(guest: 2, runs: 500))),
      ]),
    // A VM asks at its start what is free, while what it lacks itself would pass for missing of others.
    MeanHistory(
      seed: 3_008_228,
      [
        MeanHistory.Moment(at: 300, act: .live(Life(guest: 3, runs: 500))),
        MeanHistory.Moment(at: 20_300, act: .live(Life(guest: 3, runs: 20, isSilent: true))),
        MeanHistory.Moment(at: 20_300, act: .mute(milliseconds: 300)),
        MeanHistory.Moment(at: 20_300, act: .live(Life(guest: 4, runs: 5_000))),
        MeanHistory.Moment(at: 20_600, act: .live(Life(guest: 3, runs: 500))),
        MeanHistory.Moment(at: 20_603, act: .live(Life(guest: 1, runs: 40_000))),
      ]),
    // Proxmox fails to start a VM and takes another one's pages, which then counts the first one's as free.
    MeanHistory(
      seed: 3_018_695,
      [
        MeanHistory.Moment(at: 20_000, act: .proxmox(pages: 26, milliseconds: 3_000)),
        MeanHistory.Moment(at: 20_000, act: .stranger(pages: 4, milliseconds: 60_000)),
        MeanHistory.Moment(at: 20_300, act: .live(Life(guest: 0, runs: 20))),
        MeanHistory.Moment(at: 20_300, act: .live(Life(guest: 2, runs: 500, fails: true))),
        MeanHistory.Moment(at: 20_340, act: .live(Life(guest: 2, runs: 900_000))),
      ]),
    // The guard of a VM is killed while it gives back.
    MeanHistory(
      seed: 3_022_902,
      [
        MeanHistory.Moment(at: 300, act: .live(Life(guest: 2, runs: 500, isSilent: true))),
        MeanHistory.Moment(at: 300, act: .live(Life(guest: 1, runs: 40_000))),
        MeanHistory.Moment(at: 2_300, act: .kill(5)),
      ]),
    // A QEMU ends before its guard is there, as the hook that was to make it has been killed.
    MeanHistory(
      seed: 3_023_305,
      [
        MeanHistory.Moment(at: 0, act: .live(Life(guest: 1, runs: 500))),
        MeanHistory.Moment(at: 0, act: .live(Life(guest: 3, runs: 900_000))),
        MeanHistory.Moment(at: 300, act: .proxmox(pages: 14, milliseconds: 50)),
        MeanHistory.Moment(at: 300, act: .daemon(times: 5)),
        MeanHistory.Moment(at: 300, act: .change(0, value: "2")),
        MeanHistory.Moment(at: 300, act: .live(Life(guest: 3, runs: 5_000))),
        MeanHistory.Moment(at: 303, act: .live(Life(guest: 2, runs: 500))),
        MeanHistory.Moment(at: 2_303, act: .live(Life(guest: 4, runs: 40_000))),
        MeanHistory.Moment(
          at: 2_303, act: .live(Life(guest: 3, runs: 20, deaths: [.started: 60], isSilent: true))),
      ]),
    // Strangers' surplus is counted for two VMs, of which Proxmox has taken back one's.
    MeanHistory(
      seed: 3_023_998,
      [
        MeanHistory.Moment(at: 3, act: .live(Life(guest: 4, runs: 5_000))),
        MeanHistory.Moment(at: 6, act: .live(Life(guest: 3, runs: 900_000))),
        MeanHistory.Moment(at: 6, act: .proxmox(pages: 34, milliseconds: 60_000)),
        MeanHistory.Moment(at: 6, act: .live(Life(guest: 0, runs: 500))),
        MeanHistory.Moment(at: 6, act: .mute(milliseconds: 300)),
      ]),
    // A VM that runs claims more than its own pages, and another one comes after a reset.
    MeanHistory(
      seed: 3_024_059,
      [
        MeanHistory.Moment(at: 3, act: .proxmox(pages: 39, milliseconds: 50)),
        MeanHistory.Moment(at: 6, act: .live(Life(guest: 2, runs: 500))),
        MeanHistory.Moment(at: 6, act: .live(Life(guest: 1, runs: 40_000))),
        MeanHistory.Moment(at: 2_006, act: .live(Life(guest: 0, runs: 40_000))),
        MeanHistory.Moment(at: 4_006, act: .live(Life(guest: 2, runs: 40_000, fails: true))),
        MeanHistory.Moment(at: 4_046, act: .live(Life(guest: 1, runs: 20))),
        MeanHistory.Moment(at: 4_346, act: .live(Life(guest: 3, runs: 40_000))),
        MeanHistory.Moment(at: 4_386, act: .live(Life(guest: 4, runs: 40_000))),
      ]),
    // A start goes on that its hypervisor has given up, and whose claims are gone.
    MeanHistory(
      seed: 3_026_345,
      [
        MeanHistory.Moment(
          at: 20_340, act: .live(Life(guest: 1, runs: 40_000, fails: true, isSilent: true))),
        MeanHistory.Moment(at: 40_340, act: .live(Life(guest: 4, runs: 500))),
        MeanHistory.Moment(at: 40_340, act: .live(Life(guest: 0, runs: 20, beginsTwice: true))),
        MeanHistory.Moment(at: 40_340, act: .live(Life(guest: 1, runs: 40_000))),
      ]),
    // A VM that runs has its pages in use, and what a reset took is missing of one that is on its way in.
    MeanHistory(
      seed: 5_011_147,
      [
        MeanHistory.Moment(at: 40, act: .live(Life(guest: 1, runs: 40_000))),
        MeanHistory.Moment(at: 40, act: .live(Life(guest: 3, runs: 500))),
        MeanHistory.Moment(at: 340, act: .live(Life(guest: 2, runs: 20))),
        MeanHistory.Moment(at: 680, act: .live(Life(guest: 4, runs: 500))),
      ]),
    // Whose hook was killed as it prepared the host starts no more, before its hypervisor has said so.
    MeanHistory(
      seed: 7_023_786,
      [
        MeanHistory.Moment(
          at: 2_000, act: .live(Life(guest: 1, runs: 20, deaths: [.prepare: 103]))),
        MeanHistory.Moment(at: 2_000, act: .live(Life(guest: 0, runs: 500))),
      ]),
    // Nobody says that a VM has ended, whose scope is over before libvirt has cleaned up.
    MeanHistory(
      seed: 38,
      [
        MeanHistory.Moment(at: 2_000, act: .live(Life(guest: 0, runs: 5_000, isSilent: true)))
      ]),
  ])
  func whatHasFailedOnceDoesNotFailAgain(_ history: MeanHistory) throws {
    let performance = try MeanPerformance(of: history, on: HostFiles())
    #expect(performance.findings.map(\.sentence) == [])
  }

  /// How many failures of a kind are looked at: `BERTH_MEAN_REPORTS`.
  private static let reports = Int(number("BERTH_MEAN_REPORTS", else: 1))

  /// The kinds of failures that are looked at closely: `BERTH_MEAN_KIND` names one.
  private static let kinds: [Finding.Kind] = {
    let name = ProcessInfo.processInfo.environment["BERTH_MEAN_KIND"]
    return Finding.Kind.allCases.filter { name == nil || $0.rawValue == name }
  }()

  /// The shortest history that fails in a way, with what happened in it.
  private static func report(_ kind: Finding.Kind, _ history: MeanHistory) throws -> String {
    func play(_ history: MeanHistory, tracing: Bool = false) -> MeanPerformance? {
      do {
        return try MeanPerformance(of: history, on: HostFiles(), tracing: tracing)
      } catch {
        return nil
      }
    }
    let shortest = history.shrunk { other in
      play(other)?.findings.contains { $0.kind == kind } ?? false
    }
    let performance = play(shortest, tracing: true)
    let findings = performance?.findings.map { "\($0.kind.rawValue): \($0.sentence)" } ?? []
    return "seed \(history.seed), \(kind.rawValue): \(findings.joined(separator: "\n"))\nafter\n"
      + "\(shortest)\n" + (performance?.trace.joined(separator: "\n") ?? "")
  }
}
