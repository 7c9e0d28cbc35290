import Bytes
import HostModel
import Testing

@testable import berth

/// A hypervisor's call is told from an administrator's whatever a domain is called.
struct HookCallTests {
  @Test(arguments: ["win10", "--help", "-h", "status", "", "a\nb", "../x", "123"])
  func aDomainsNameIsNeverAnOption(name: String) {
    for sub in ["begin", "end", "-"] {
      #expect(
        HookCall(arguments: ["berth", name, "prepare", sub, "-"])
          == .libvirt(name: name, operation: "prepare"))
    }
  }

  @Test func twoArgumentsAreProxmoxIfTheFirstIsANumber() {
    let call = HookCall.proxmox(vmid: "100", phase: "pre-start")
    #expect(HookCall(arguments: ["berth", "100", "pre-start"]) == call)
    #expect(HookCall(arguments: ["berth", "config", "check"]) == nil)
    #expect(HookCall(arguments: ["berth", "", "pre-start"]) == nil)
    #expect(HookCall(arguments: ["berth", "١٠٠", "pre-start"]) == nil)
  }

  @Test func underAHooksNameWhateverComesIsAHypervisors() {
    #expect(HookCall(arguments: ["/etc/libvirt/hooks/qemu", "x"]) == .unknown)
    #expect(HookCall(arguments: ["/usr/sbin/berth", "status"]) == nil)
    #expect(HookCall(arguments: ["berth"]) == nil)
  }

  @Test(arguments: ["migrate", "restore", "attach", "", "PREPARE", "prepare ", "tomorrow"])
  func anUnknownOperationIsDoneWithAtOnce(operation: String) {
    #expect(Phase(libvirtOperation: operation) == nil)
    #expect(Hook.answer(.libvirt(name: "deck", operation: operation)) == 0)
    #expect(Hook.answer(.unknown) == 0)
  }

  @Test func onlyThePhasesBeforeQEMURunsMayRefuse() {
    #expect(Phase.allCases.filter(\.mayRefuse) == [.prepare, .start])
    let proxmox = ["pre-start", "post-start", "pre-stop", "post-stop"]
    #expect(proxmox.filter { Phase(proxmoxPhase: $0)?.mayRefuse == true } == ["pre-start"])
  }
}
