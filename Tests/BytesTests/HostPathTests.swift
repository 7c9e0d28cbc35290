import Bytes
import Testing

@Suite("paths of a host")
struct HostPathTests {
  @Test("what is interpolated is one component, or a part of one")
  func interpolation() {
    let pid = 42
    let folder: HostPath = "/proc/\(pid)"
    #expect(folder.description == "/proc/42")
    let file: HostPath = "\(folder)/task/\(7)/stat"
    #expect(file.description == "/proc/42/task/7/stat")
    #expect(file.cString == Array("/proc/42/task/7/stat\0".utf8))
    let suffixed: HostPath = "\(folder)_requested"
    #expect(suffixed.description == "/proc/42_requested")
    let middle: HostPath = "/run/berth-\("a").\("b")c"
    #expect(middle.components.map { String(decoding: $0, as: UTF8.self) } == ["run", "berth-a.bc"])
  }

  @Test(
    "no name leads out of the folder that it was put behind",
    arguments: [
      "..", ".", "", "a/b", "/", "/etc", "../..", "a\0", "\0", "/\u{301}", "a/\u{20dd}b",
      "..\u{200d}/x", "x\u{600}/../y",
    ])
  func foreignNames(name: String) {
    let path: HostPath = "/run/\(name)/pid"
    #expect(path.leadsNowhere)
    #expect(path.description == "/run/\(name)/pid")
    #expect(path.cString[0] == 0)
    let last: HostPath = "/run/\(name)"
    #expect(last.leadsNowhere && last.description == "/run/\(name)")
    #expect(HostPath(foreign: "/run").appending(name).leadsNowhere)
    // What follows one stays where that is.
    let further: HostPath = "\(path)/x"
    #expect(further.leadsNowhere && further.description == "/run/\(name)/pid/x")
    #expect(!path.begins(with: "/run") && path.components.isEmpty && path.parent == path)
  }

  @Test(
    "a name of other characters is a name",
    arguments: ["a\u{301}", "\u{301}", "\u{600}x", "...", "..a", ".a", "a..", "\u{2215}", "a b\n"])
  func otherNames(name: String) {
    let path: HostPath = "/run/\(name)/pid"
    #expect(!path.leadsNowhere)
    #expect(path.components.count == 3 && path.parent.parent == "/run")
    #expect(Array(path.parent.name.utf8) == Array(name.utf8))
    #expect(HostPath(foreign: "/run").appending(name).appending("pid") == path)
  }

  @Test("a part makes a component that may not be")
  func parts() {
    #expect(("/run/.\(".")" as HostPath).leadsNowhere)
    #expect(("/run/.\("")" as HostPath).leadsNowhere)
    #expect(!("/run/.\("a")" as HostPath).leadsNowhere)
    #expect(!("/run/a\("")b" as HostPath).leadsNowhere)
    let folder: HostPath = "/run"
    #expect(("/sys/\(folder)" as HostPath).leadsNowhere)
  }

  @Test(
    "several components of elsewhere are asked for by name",
    arguments: [
      ("a.slice/b.scope", "/cg/a.slice/b.scope/x"), ("a", "/cg/a/x"), ("", "/cg/x"),
      ("../x", nil), ("a/..", nil), ("a//b", nil), ("/a", nil), ("a/", nil), ("a\0b", nil),
      ("./a", nil), ("a/\u{301}b", "/cg/a/\u{301}b/x"),
    ] as [(String, String?)])
  func below(group: String, result: String?) {
    let path: HostPath = "/cg/\(below: group)/x"
    #expect(path.leadsNowhere == (result == nil))
    if let result { #expect(Array(path.description.utf8) == Array(result.utf8)) }
  }

  @Test("the root is continued as any folder is, and is its own parent")
  func root() {
    let root: HostPath = "/"
    #expect(root == .root && root.components.isEmpty && root.name == "" && root.parent == root)
    #expect(root.cString == [47, 0])
    let path: HostPath = "\(root)/sys"
    #expect(path == "/sys" && path.parent == root && root.appending("sys") == path)
    #expect(("\(root)" as HostPath) == root)
    #expect(("/\(below: "")" as HostPath) == root)
    #expect(path.begins(with: root) && !root.begins(with: path))
  }

  @Test(
    "a text of elsewhere is a path, or none",
    arguments: [
      ("/sys/a", "/sys/a"), ("//sys///a//", "/sys/a"), ("/./sys/./a/.", "/sys/a"), ("/", "/"),
      ("///", "/"), ("/.", "/"), ("", nil), ("sys", nil), ("./sys", nil), ("/..", nil),
      ("/sys/../a", nil), ("/sys/..", nil), ("/a\0", nil), ("/a\u{600}/b", "/a\u{600}/b"),
      ("/a/\u{301}b", "/a/\u{301}b"),
    ] as [(String, String?)])
  func parsing(text: String, result: String?) {
    let path = HostPath(parsing: text)
    #expect(path.map { Array($0.description.utf8) } == result.map { Array($0.utf8) })
    #expect(HostPath(foreign: text).leadsNowhere == (result == nil))
    if result == nil { #expect(HostPath(foreign: text).description == text) }
  }

  @Test("bytes that are not UTF-8 are a name like any other, and shown as well as can be")
  func bytes() throws {
    let path = try #require(HostPath(parsing: [47, 0x61, 0xff, 47, 0xfe] as [UInt8]))
    #expect(path.components.map { Array($0) } == [[0x61, 0xff], [0xfe]])
    #expect(path.description == "/a\u{fffd}/\u{fffd}" && path.name == "\u{fffd}")
    #expect(path.parent != "/a\u{fffd}")
    #expect(HostPath.root.appending([0x61, 0xff] as [UInt8]).appending([0xfe] as [UInt8]) == path)
  }

  @Test("equal and in order as bytes are")
  func order() {
    #expect(HostPath(foreign: "/\u{e9}") != HostPath(foreign: "/e\u{301}"))
    let paths: [HostPath] = ["/b", "/a/b", "/a", "/a.b", "/ab", "/"]
    #expect(paths.sorted().map(\.description) == ["/", "/a", "/a.b", "/a/b", "/ab", "/b"])
  }

  @Test("a folder is the beginning of what is in it, by whole components")
  func beginnings() {
    let path: HostPath = "/sys/devices/pci0000:40/bind"
    #expect(path.begins(with: "/sys/devices") && path.begins(with: path))
    #expect(!path.begins(with: "/sys/devices/pci") && path.starts(with: "/sys/devices/pci"))
    #expect(path.ends(with: "/bind") && !path.ends(with: "/unbind"))
    #expect(path.below("/sys") == "devices/pci0000:40/bind" && path.below(path) == "")
    #expect(path.below(.root) == "sys/devices/pci0000:40/bind")
  }
}
