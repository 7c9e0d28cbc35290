import Bytes
import Testing

@Suite("texts of elsewhere, byte by byte")
struct StringBytesTests {
  @Test(
    "what Swift sees as one character with its neighbour separates all the same",
    arguments: [
      ("a/\u{301}b", ["a", "\u{301}b"]), ("a\u{600}/b", ["a\u{600}", "b"]),
      ("../\u{20dd}x", ["..", "\u{20dd}x"]), ("a/\u{200d}/b", ["a", "\u{200d}", "b"]),
    ])
  func separators(text: String, fields: [String]) {
    #expect(text.fields(at: "/").map { Array($0.utf8) } == fields.map { Array($0.utf8) })
    #expect(text.has("/"))
  }

  @Test("empty fields are left out unless they are asked for")
  func emptyFields() {
    #expect("/a//b/".fields(at: "/") == ["a", "b"])
    #expect("/a//b/".fields(at: "/", keepingEmpty: true) == ["", "a", "", "b", ""])
    #expect("a:b:c".fields(at: ":", maxSplits: 1) == ["a", "b:c"])
    #expect("".fields(at: ":") == [])
    #expect("".fields(at: ":", keepingEmpty: true) == [""])
    #expect("a b\tc".fields(atAnyOf: " ", "\t") == ["a", "b", "c"])
  }

  @Test("equal as a text for people is not equal as bytes")
  func canonicalEquivalence() {
    #expect("\u{e9}clair".hasPrefix("e\u{301}"))
    #expect(!"\u{e9}clair".begins(with: "e\u{301}"))
    #expect(!"x\u{e9}".ends(with: "e\u{301}"))
    #expect("vcpu=\u{301}4".rest(after: "vcpu=").map { Array($0.utf8) } == Array("\u{301}4".utf8))
  }

  @Test("a text is found in another one")
  func search() {
    for (text, part, isThere) in [
      ("qemu-system", "qemu", true), ("/usr/bin/kvm", "kvm", true), ("qqemu", "qemu", true),
      ("qem", "qemu", false), ("", "a", false), ("", "", true), ("aab", "ab", true),
    ] {
      #expect(text.has(text: part) == isThere, "\(part) in \(text)")
    }
  }

  @Test("a text is cut at the first or the last of a character")
  func cuts() throws {
    let first = try #require("a=b=c".cut(at: "="))
    #expect(first == ("a", "b=c"))
    let last = try #require("a=b=c".cutLast(at: "="))
    #expect(last == ("a=b", "c"))
    #expect("abc".cut(at: "=") == nil)
    #expect("name.scope".rest(before: ".scope") == "name")
    #expect("name.slice".rest(before: ".scope") == nil)
  }

  @Test("what is clipped for a message ends with a whole scalar")
  func clipping() {
    #expect("abc".clipped(to: 60) == "abc")
    #expect("abc".clipped(to: 2) == "ab")
    #expect("a\u{e9}b".clipped(to: 2) == "a")
    #expect("\u{1f600}".clipped(to: 3) == "")
  }
}
