import HostModel
import Testing

struct PCIAddressTests {
  @Test(arguments: [
    ("0000:0b:00.3", "0000:0b:00.3"), ("0B:1F.7", "0000:0b:1f.7"),
    ("10000:01:00.0", "10000:01:00.0"),
  ])
  func readsWhatSysfsAndPeopleWrite(text: String, normal: String) {
    #expect(PCIAddress(text)?.description == normal)
  }

  @Test(arguments: [
    "", "0b:00", "0b:20.0", "0b:00.8", "100:00.0", "0000:0b:00.3.1", "g0:00.0", "0000:0b:00.",
    "+b:00.0",
    "1:2:3:4.5", "../0b:00.0",
  ])
  func refusesWhatIsNoFunction(text: String) {
    #expect(PCIAddress(text) == nil)
  }
}
