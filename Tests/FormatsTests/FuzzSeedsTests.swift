import Bytes
import FuzzTargets
import Live
import Support
import Testing

/// What a fuzzer tries without end, for the texts that it begins with and those it once found.
struct FuzzSeedsTests {
  private static let seeds = HostPath(foreign: #filePath).parent.parent.appending("Fuzz").appending(
    "seeds")

  @Test(arguments: FuzzTarget.all.map(\.name))
  func everyReaderKeepsItsPromisesForItsSeeds(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    let files = try LiveKernel().entries(of: "\(Self.seeds)/\(name)")
    #expect(!files.isEmpty)
    for file in files {
      let bytes = try FileText.bytes("\(Self.seeds)/\(name)/\(file)")
      #expect(throws: Never.self, "\(file)") { try target.check(bytes) }
    }
  }

  @Test func everyFolderOfSeedsHasAReader() throws {
    let folders = try LiveKernel().entries(of: Self.seeds)
    #expect(folders.sorted() == FuzzTarget.all.map(\.name).sorted())
  }
}
