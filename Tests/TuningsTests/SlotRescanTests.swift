import HostModel
import Testing

@testable import Tunings

struct SlotRescanTests {
  private let tuning = SlotRescan()
  private let slot = PCISlot(of: Sample.function.address)

  private var policy: Policy {
    var policy = Policy()
    policy.pci.rescanned = [slot]
    return policy
  }

  private func host(_ change: (inout FunctionFacts) -> Void = { _ in }) -> HostFacts {
    var function = Sample.function
    change(&function)
    var host = Sample.host
    host.slots = [SlotFacts(slot: slot, functions: [function])]
    return host
  }

  @Test func takesASlotOffTheBusBeforeTheStartOnly() {
    let plan = Sample.plan(tuning, policy: policy, on: host())
    #expect(plan.cycles.map(\.setting) == [.slot(slot)])
    #expect(plan.cycles.map(\.claim) == [.alone(.functions([]))])
    #expect(plan.changes.isEmpty && plan.warnings.isEmpty && plan.refusals.isEmpty)
    #expect(Sample.needs(tuning, .prepare) == FactNeeds())
    for phase in [Phase.start, .started, .reconnect, .stopped, .release] {
      #expect(Sample.plan(tuning, phase, policy: policy, on: host()) == Plan(phase: phase))
      #expect(Sample.needs(tuning, phase, policy: policy) == FactNeeds())
    }
  }

  @Test func leavesASlotAloneThatCouldDoHarm() {
    func reasons(_ host: HostFacts, _ policy: Policy) -> [String] {
      let plan = Sample.plan(tuning, policy: policy, on: host)
      #expect(plan.cycles.isEmpty && plan.refusals.isEmpty)
      return plan.warnings
    }
    #expect(reasons(Sample.host, policy)[0].contains("nothing in it"))
    #expect(reasons(host { $0.classCode = 0x060400 }, policy)[0].contains("bridge"))
    let used = host { $0.hostUses = [HostUse("mounted at /srv")] }
    #expect(reasons(used, policy)[0].contains("mounted"))
    var busy = host()
    busy.vfioUsers = ["qemu (process 7)"]
    #expect(reasons(busy, policy)[0].contains("qemu (process 7) has a device of VFIO open"))
    var stuck = host()
    stuck.slots[0].canRescan = false
    #expect(reasons(stuck, policy)[0].contains("cannot be looked through"))
  }

  @Test(arguments: [("amdgpu", false, 0), ("amdgpu", true, 1), ("nvidia", true, 0)])
  func leavesWhatAProcessHasOpen(driver: String, isForced: Bool, cycles: Int) {
    var policy = policy
    if isForced { policy.pci.forced = [Sample.function.address] }
    let host = host {
      $0.binding.driver = driver
      $0.users = [DeviceUser(file: "/dev/dri/card0", name: "Xorg", pid: 702)]
    }
    let plan = Sample.plan(tuning, policy: policy, on: host)
    #expect(plan.cycles.count == cycles && plan.warnings.count == 1 - cycles)
  }

  @Test func aKeyboardIsBackInAMoment() {
    let used = host { $0.hostUses = [HostUse("the host's keyboard", .convenience)] }
    #expect(Sample.plan(tuning, policy: policy, on: used).cycles.count == 1)
  }

  @Test func takesWhatTheHostUsesIfPolicyForcesIt() {
    var policy = policy
    policy.pci.forced = [Sample.function.address]
    let used = host { $0.hostUses = [HostUse("mounted at /srv")] }
    let plan = Sample.plan(tuning, policy: policy, on: used)
    #expect(plan.cycles.count == 1)
  }
}
