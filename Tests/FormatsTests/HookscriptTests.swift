import Formats
import Testing

/// The line that has Proxmox call Berth, and the storage of what it names.
struct HookscriptTests {
  @Test(arguments: [
    (nil, Hookscript.none),
    ("local:snippets/berth", .berth(volume: "local:snippets/berth")),
    ("shared:snippets/berth", .berth(volume: "shared:snippets/berth")),
    ("local:snippets/berth.sh", .another(volume: "local:snippets/berth.sh")),
    ("local:snippets/mine", .another(volume: "local:snippets/mine")),
    ("berth", .another(volume: "berth")),
  ])
  func isBerthsByItsSnippet(volume: String?, script: Hookscript) {
    #expect(Hookscript(volume) == script)
  }

  @Test(arguments: [
    ("cores: 2\nname: a\n", "cores: 2\nhookscript: x:snippets/y\nname: a\n"),
    ("#note: z\nagent: 1\n", "#note: z\nagent: 1\nhookscript: x:snippets/y\n"),
    (
      "name: a\n\n[PENDING]\ncores: 2\n",
      "hookscript: x:snippets/y\nname: a\n\n[PENDING]\ncores: 2\n"
    ),
    (
      "agent: 1\n\n[old]\nhookscript: z\n",
      "agent: 1\nhookscript: x:snippets/y\n\n[old]\nhookscript: z\n"
    ),
  ])
  func theLineStandsWhereProxmoxHasIt(text: String, written: String) {
    #expect(HookscriptLine.text(text, with: "x:snippets/y") == written)
    #expect(HookscriptLine.text(written, with: nil) == text)
    #expect(HookscriptLine.text(written, with: "x:snippets/y") == written)
  }

  @Test(arguments: [
    ("", true), ("nfs: far\n\tpath /mnt/pve/far\n\tcontent iso\n", true),
    ("dir: local\n\tpath /srv\n\tcontent iso\n", true),
    ("dir: local\n\tpath /var/lib/vz\n\tcontent iso,snippets\n", true),
    ("dir: local\n\tcontent iso;snippets\n", true),
    ("dir: local\n\tpath /var/lib/vz\n\tcontent iso\n\ndir: b\n\tcontent snippets\n", false),
    ("dir: local\n\tpath /var/lib/vz\n", false),
    ("zfspool: local\n\tcontent images\n", true),
  ])
  func theStorageOfEveryNodeIsWhatProxmoxMakesOfIt(text: String, holds: Bool) {
    #expect(LocalStorage(Array(text.utf8)).holdsSnippets == holds)
  }

  @Test func theStorageMayKeepSnippetsElsewhere() {
    let text =
      "dir: local\n\tcontent snippets\n\tcontent-dirs iso=a,snippets=hooks/own\n\tdisable 1\n"
    let storage = LocalStorage(Array(text.utf8))
    #expect(storage.snippets == "/var/lib/vz/hooks/own" && storage.isDisabled)
    #expect(LocalStorage().snippets == "/var/lib/vz/snippets" && !LocalStorage().isDisabled)
    #expect(LocalStorage(Array(storage.text.utf8)) == storage)
    #expect(LocalStorage(Array(LocalStorage().text.utf8)) == LocalStorage())
  }
}
