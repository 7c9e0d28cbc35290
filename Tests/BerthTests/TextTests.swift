import Testing

@testable import berth

/// How wide texts are shown, and where they are cut.
struct TextTests {
  @Test(arguments: [
    ("", 0), ("win10", 5), ("ゲーム", 6), ("ｗｉｎ", 6), ("게임", 4), ("🎮", 2), ("e\u{301}", 1),
    ("naïve", 5), ("a\u{7}b", 8), ("…", 1),
  ])
  func isAsWideAsATerminalShowsIt(words: String, columns: Int) {
    #expect(Text(words).width == columns)
  }

  @Test(arguments: [
    ("ゲーム", 6, "ゲーム"), ("ゲーム", 5, "ゲー…"), ("ゲーム", 4, "ゲ…"), ("ゲーム", 1, "…"),
    ("ゲーム", 0, ""), ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"), ("win10", 4, "win…"),
  ])
  func isCutBetweenWideCharacters(words: String, columns: Int, cut: String) {
    #expect(Text(words).cut(to: columns).rendered == cut)
    #expect(Text(words).cut(to: columns).width <= columns)
  }

  @Test func nothingFollowsWhatIsCut() {
    #expect((Text("ゲーム") + Text("x")).cut(to: 6).rendered == "ゲー…")
  }

  @Test func columnsAreAlignedBesideWideCharacters() {
    var table = Table()
    table.append("ゲーム", "1")
    table.append("win", "2")
    #expect(table.lines().map(\.rendered) == ["ゲーム  1", "win     2"])
  }

  @Test func aLongNameIsCutByItsColumns() {
    let name = String(repeating: "船", count: 30)
    #expect(Text(name: name).width == 47)
  }
}
