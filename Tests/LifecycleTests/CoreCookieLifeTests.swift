import Bytes
import HostModel
import Ledger
internal import Recorded
import Support
import Testing

/// A core-scheduling cookie of the recorded workstation's domain.
struct CoreCookieLifeTests {
  private func life() throws -> RecordedLife {
    let life = try RecordedLife()
    try life.host.prepareAndStartGaming()
    return life
  }

  private func play(_ life: RecordedLife, _ phase: Phase) throws -> [String] {
    try life.play(phase, Workstation.domain) { $0.hasCoreCookie = true }
  }

  private func cookies(_ life: RecordedLife) throws -> Set<UInt64> {
    let tasks = try life.host.kernel.entries(of: "/proc/4242/task").compactMap { Int($0) }
    return Set(try tasks.map { try life.host.kernel.coreCookie(of: $0) })
  }

  @Test func everyThreadGetsItAndLosesItWhereTheDomainIsLetGoOf() throws {
    let life = try life()
    #expect(try play(life, .started) == [])
    #expect(try cookies(life) == [4242])
    #expect(try play(life, .reconnect) == [])
    #expect(try life.play(.release, Workstation.domain).count == 1)
    #expect(try cookies(life) == [4242])
    #expect(try life.releaseAll() == [])
    #expect(try cookies(life) == [0])
  }

  @Test func itEndsWithTheDomain() throws {
    let life = try life()
    #expect(try play(life, .started) == [])
    try life.host.stopGaming()
    #expect(try life.play(.release, Workstation.domain) == [])
    #expect(try life.ledger() == Ledger())
  }

  @Test func oneThatLibvirtMadeIsLeftAlone() throws {
    let life = try life()
    try life.host.kernel.setCoreCookie(isOwn: true, of: 4242)
    #expect(try play(life, .started) == [])
    #expect(try life.releaseAll() == [])
    #expect(try cookies(life) == [4242])
    try life.host.remove("/proc/4242/task/4260/core-cookie")
    let warnings = try play(life, .started)
    #expect(warnings.count == 1 && warnings[0].contains("sched_core"))
    #expect(try cookies(life) == [0, 4242])
  }

  @Test(arguments: [(19, "no CPU of the host shares its core"), (22, "built without it")])
  func whyItCannotBeHadIsSaid(errno: Int, reason: String) throws {
    let life = try life()
    let limits = try life.word("/recorded/limits")
    try life.host.kernel.write(
      limits + "\ncore-scheduling refuses \(errno)", to: "/recorded/limits")
    let warnings = try play(life, .started)
    #expect(warnings.count == 1 && warnings[0].contains(reason))
  }
}
