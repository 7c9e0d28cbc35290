import HostModel
import Testing

struct PageSizeTests {
  @Test(arguments: [
    ("1G", 1 << 20), ("2M", 2048), ("2m", 2048), ("64K", 64), ("1024M", 1 << 20),
    ("1024G", 1 << 30),
    ("2", nil), ("xG", nil), ("0M", nil), ("-2M", nil), ("1025G", nil), ("M", nil), ("", nil),
    ("99999999999999999999K", nil), ("2ß", nil),
  ])
  func readsWhatTheKernelWritesAndReads(text: String, kiB: Int?) {
    #expect(PageSize(parsing: text)?.kiB == kiB)
  }

  @Test(arguments: [(4, "4 KiB"), (2048, "2 MiB"), (1 << 20, "1 GiB"), (1536, "1536 KiB")])
  func isWrittenForPeople(kiB: Int, text: String) {
    #expect(PageSize(kiB: kiB).description == text)
  }
}
