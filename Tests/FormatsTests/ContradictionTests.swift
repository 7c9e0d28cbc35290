import Formats
import Testing

/// Keys that others leave without effect.
struct ContradictionTests {
  @Test(arguments: [
    ("[vm.a]\nisolation = \"none\"\ncpu.whole-cores = true", "f:3:5: cpu.whole-cores of"),
    (
      "[defaults]\nisolation = \"none\"\n[vm.a]\ncpu.whole-cores = true",
      "f:4:5: cpu.whole-cores of"
    ),
    ("[vm.a]\nprofile = \"minimal\"\ncpu.contested = \"yield\"", "f:3:5: cpu.contested of"),
    (
      "[vm.a]\nhugepages.reserve = false\nhugepages.required = true",
      "f:3:11: hugepages.required of"
    ),
    (
      "[vm.a]\nhugepages.reserve = false\nmemory.drop-caches = true", "f:3:8: memory.drop-caches of"
    ),
    ("[vm.a]\ncompanions.required = true", "f:2:12: companions.required of"),
    ("[vm.a]\nenabled = false\nisolation = \"slices\"", "f:2:1: isolation of"),
  ])
  func areTold(text: String, sentence: String) {
    let found = PolicyFile(text, named: "f").sectionPolicies.flatMap(\.contradictions)
    #expect(found.count == 1 && "\(found[0])".hasPrefix(sentence), "\(found)")
  }

  @Test(arguments: [
    "", "[vm.a]\nenabled = false", "[vm.a]\ncpu.whole-cores = true",
    "[vm.a]\nprofile = \"latency\"",
    "[vm.a]\nprofile = \"minimal\"",
    "[defaults]\nisolation = \"none\"\n[vm.a]\nisolation = \"auto\"\ncpu.whole-cores = true",
    "[vm.a]\nhugepages.reserve = false",
    "[defaults]\ncpu.whole-cores = true\n[vm.a]\nisolation = \"none\"",
  ])
  func nothingIsSaidOfWhatCounts(text: String) {
    let file = PolicyFile(text, named: "f")
    #expect(file.problems.isEmpty)
    #expect(file.sectionPolicies.flatMap(\.contradictions).isEmpty)
  }
}
