import HostModel
import Testing

@testable import Tunings

/// What happens beside a domain: which units, commands and domains become claims, and which are
/// explained instead.
struct BesideTests {
  private func policy(_ change: (inout Policy.Beside) -> Void) -> Policy {
    var policy = Policy()
    change(&policy.beside)
    return policy
  }

  private func service(
    _ asked: String, unit: String? = nil, isActive: Bool = true
  ) -> ServiceFacts {
    var facts = ServiceFacts(asked: asked)
    facts.unit = unit ?? asked
    facts.isActive = isActive
    return facts
  }

  private func stopping(_ names: [String], _ facts: [ServiceFacts]) -> Plan {
    var host = Sample.host
    host.services = facts
    host.ownUnits = ["system.slice", "runner.service"]
    return Sample.plan(
      StoppedServices(), policy: policy { $0.stoppedServices = names }, on: host)
  }

  @Test func aUnitIsStoppedByItsOwnName() {
    let plan = stopping(
      ["display-manager.service"], [service("display-manager.service", unit: "gdm.service")])
    #expect(plan.changes.map(\.setting) == [.service(unit: "gdm.service")])
    #expect(plan.changes.map(\.claim) == [.exactly(.activity(.inactive))])
    #expect(plan.warnings == [])
  }

  @Test func aUnitThatDoesNotRunIsKeptSoWhateverItsBonds() {
    var facts = service("gdm.service", isActive: false)
    facts.isTransient = true
    let plan = stopping(["gdm.service"], [facts])
    #expect(plan.changes.map(\.claim) == [.exactly(.activity(.inactive))])
    #expect(plan.warnings == [])
  }

  @Test(arguments: [
    "libvirtd.service", "virtqemud.socket", "virtlogd.service", "pvedaemon.service",
    "pve-cluster.service", "qmeventd.service", "dbus.service", "dbus-broker.service",
    "systemd-journald.service", "user@1000.service", "berth-guard-libvirt-x.service",
    "runner.service",
  ])
  func aUnitThatTheHostOrTheVMNeedsIsNotStopped(name: String) {
    #expect(stopping([name], [service(name)]).changes.isEmpty)
    let alias = stopping(["x.service"], [service("x.service", unit: name)])
    #expect(alias.changes.isEmpty && alias.warnings.count == 1)
    var needed = service("x.service")
    needed.dependents = [name]
    let dependent = stopping(["x.service"], [needed])
    #expect(dependent.changes.isEmpty && dependent.warnings.count == 1)
  }

  @Test func whatCouldNotComeBackIsNotStopped() {
    var transient = service("a.service")
    transient.isTransient = true
    var stuck = service("b.service")
    stuck.canStart = false
    var needed = service("c.service")
    needed.dependents = ["d.service"]
    var missing = service("e.service")
    missing.unit = nil
    let plan = stopping(
      ["a.service", "b.service", "c.service", "e.service"], [transient, stuck, needed, missing])
    #expect(plan.changes.isEmpty && plan.warnings.count == 4)
    let both = stopping(["d.service", "c.service"], [service("d.service"), needed])
    #expect(both.changes.count == 2 && both.warnings == [])
  }

  private func commands(_ phase: Phase, _ commands: [Policy.Command]) -> Plan {
    Sample.plan(Commands(), phase, policy: policy { $0.commands = commands })
  }

  @Test func eachCommandHasAServiceOfItsOwnInItsPhase() throws {
    var first = Policy.Command(run: ["/bin/a", "x; $(y)"])
    first.undo = ["/bin/b"]
    first.milliseconds = 2_500
    first.isRequired = true
    var second = Policy.Command(run: ["/bin/a", "x; $(y)"])
    second.moment = .started
    let before = commands(.prepare, [first, second])
    let after = commands(.started, [first, second])
    guard case .ownService(let one)? = before.changes.first?.setting,
      case .ownService(let two)? = after.changes.first?.setting
    else {
      Issue.record("no services")
      return
    }
    #expect(
      before.changes.map(\.isRequired) == [true] && after.changes.map(\.isRequired) == [false])
    #expect(one.command == ["/bin/a", "x; $(y)"] && one.undo == [["/bin/b"]])
    #expect(one.manner == .awaited && one.seconds == 3)
    #expect(two.manner == .begun && two.undo == [] && one.unit != two.unit)
    #expect(one.environment == ["BERTH_DOMAIN=win10", "BERTH_ID=u-u-i-d"])
    #expect(one.unit.hasPrefix("berth-command-libvirt-u-u-i-d-0-"))
    var changed = first
    changed.undo = ["/bin/c"]
    #expect(commands(.prepare, [changed]).changes.first?.setting != before.changes.first?.setting)
    for phase in [Phase.start, .reconnect, .stopped, .release] {
      #expect(commands(phase, [first, second]) == Plan(phase: phase))
    }
  }

  @Test func aNameIsNothingButAVariable() throws {
    var domain = Sample.domain
    domain.name = "-rf /\n%i $HOME"
    domain.id = "../x y"
    let plan = Sample.plan(
      Commands(), domain: domain, policy: policy { $0.commands = [Policy.Command(run: ["/a"])] })
    guard case .ownService(let service)? = plan.changes.first?.setting else {
      Issue.record("no service")
      return
    }
    #expect(service.command == ["/a"])
    #expect(service.environment == ["BERTH_DOMAIN=-rf / %i $HOME", "BERTH_ID=../x y"])
    let part = OwnService.unitPart("../x y")
    #expect(part.utf8.allSatisfy { $0 < 128 && $0 != 0x2f && $0 != 0x20 && $0 != 0x2e })
    #expect(service.unit.hasPrefix("berth-command-libvirt-\(part)-0-"))
  }

  @Test func aProgramThatOthersCanChangeIsNotRun() {
    var command = Policy.Command(run: ["/bin/a"])
    command.undo = ["/bin/b"]
    var host = Sample.host
    host.programs = [ProgramFacts(path: "/bin/b", objection: "is not there")]
    let optional = policy { $0.commands = [command] }
    command.isRequired = true
    let required = policy { $0.commands = [command] }
    #expect(Sample.needs(Commands(), .prepare, policy: optional).programs == ["/bin/a", "/bin/b"])
    let plan = Sample.plan(Commands(), policy: optional, on: host)
    #expect(plan.changes.isEmpty && plan.warnings == ["/bin/b is not run: it is not there"])
    #expect(Sample.plan(Commands(), policy: required, on: host).refusals.count == 1)
  }

  private func stopping(
    _ change: (inout Policy.Beside) -> Void = { _ in }, _ host: HostFacts? = nil
  ) -> Plan {
    let policy = policy {
      $0.stoppedDomains = ["idle"]
      change(&$0)
    }
    return Sample.plan(Companions(), policy: policy, on: host ?? Self.hostWithCompanion)
  }

  private static var hostWithCompanion: HostFacts {
    var host = Sample.host
    host.companions = [
      CompanionFacts(
        asked: "idle", id: "1-2", process: ProcessIdentity(pid: 40, startTime: 7), file: "/f")
    ]
    return host
  }

  @Test func aCompanionIsStoppedFirstOfAllAndWaitedFor() {
    let plan = stopping { $0.patience = 5_000 }
    guard case .ownService(let service)? = plan.changes.first?.setting else {
      Issue.record("no service")
      return
    }
    #expect(service.manner == .asked)
    #expect(service.command == ["/usr/bin/virsh", "-c", "qemu:///system", "shutdown", "1-2"])
    #expect(service.undo.last == ["/usr/bin/virsh", "-c", "qemu:///system", "start", "1-2"])
    #expect(
      plan.steps.map(\.step) == [
        .awaitEnd(
          Departure(
            name: "idle", process: ProcessIdentity(pid: 40, startTime: 7), file: "/f",
            milliseconds: 5_000))
      ])
    #expect(plan.comesFirst && plan.isToBeContinued)
    #expect(plan.changes.allSatisfy { !$0.isRequired } && plan.steps.allSatisfy { !$0.isRequired })
    let required = stopping { $0.requiresStoppedDomains = true }
    #expect(required.changes.allSatisfy(\.isRequired) && required.steps.allSatisfy(\.isRequired))
  }

  @Test func aCompanionThatWasAskedIsNotAskedAgain() {
    var host = Self.hostWithCompanion
    host.claimed = stopping().changes.map(\.setting)
    #expect(stopping({ _ in }, host) == Plan(phase: .prepare))
  }

  @Test func nobodyIsHisOwnCompanion() {
    var host = Self.hostWithCompanion
    host.companions[0].id = "U-U-I-D"
    let plan = stopping({ _ in }, host)
    #expect(plan.changes.isEmpty && plan.steps.isEmpty && plan.warnings.count == 1)
  }

  @Test func withoutTheHypervisorsToolTheCompanionIsLeftAlone() {
    var host = Self.hostWithCompanion
    host.programs = [ProgramFacts(path: "/usr/bin/virsh", objection: "is not there")]
    #expect(
      stopping({ _ in }, host).warnings == ["idle is not stopped: /usr/bin/virsh is not there"])
    #expect(stopping({ $0.requiresStoppedDomains = true }, host).refusals.count == 1)
  }

  @Test func whatComesFirstIsPlannedAlone() {
    let policy = policy {
      $0.stoppedDomains = ["idle"]
      $0.commands = [Policy.Command(run: ["/a"])]
    }
    let request = Request(domain: Sample.domain, phase: .prepare, policy: policy)
    let host = Self.hostWithCompanion
    #expect(Planner.plan(request, on: host, stepwise: true).changes.count == 1)
    #expect(Planner.plan(request, on: host).changes.count > 2)
  }

  @Test func theHostStaysAwakeForAsLongAsTheScopeIsThere() {
    var host = Sample.host
    host.process = QEMUFacts(
      identity: ProcessIdentity(pid: 1, startTime: 1), scope: "machine.slice/machine-a.scope")
    host.services = [service("systemd-logind.service")]
    let awake = policy { $0.staysAwake = true }
    let plan = Sample.plan(StayAwake(), .started, policy: awake, on: host)
    guard case .ownService(let inhibitor)? = plan.changes.first?.setting else {
      Issue.record("no service")
      return
    }
    #expect(inhibitor.boundTo == "machine-a.scope" && inhibitor.manner == .alongside)
    #expect(inhibitor.command.contains("--what=sleep:idle"))
    host.services[0].isActive = false
    let without = Sample.plan(StayAwake(), .started, policy: awake, on: host)
    #expect(without.changes.isEmpty && without.warnings.count == 1)
    #expect(Sample.needs(StayAwake(), .started) == FactNeeds())
  }
}
