import HostModel
import Testing

struct MemorySizeTests {
  @Test(arguments: [
    (0, "0 KiB"), (1023, "1023 KiB"), (1 << 10, "1 MiB"), (28160, "27.5 MiB"),
    (512 << 10, "512 MiB"),
    (1536 << 10, "1.5 GiB"), (1 << 20, "1 GiB"), (389_021_696, "371 GiB"),
    (131_806_412, "125.7 GiB"), (3 << 29, "1.5 TiB"),
    (-5, "-5 KiB"), (.max, "16777216 TiB"),
  ])
  func isWrittenForPeople(kiB: Int, text: String) {
    #expect(MemorySize(kiB: kiB).description == text)
  }
}
