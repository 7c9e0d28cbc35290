internal import Bytes
internal import Facts
package import Formats
package import HostModel
internal import Ledger
package import Port

/// Records what Berth reads of a host, so that every command answers on the record what it answers
/// on the host.
///
/// Who the machine and its people are is left out: addresses, serial numbers, the host's name,
/// paths of images, passwords, and all processes but those that matter. Names of domains, of
/// interfaces and of units stay, as does the policy file, without comments and arguments of commands.
package struct HostCapture {
  private let kernel: any KernelReader
  private let units: (any UnitReader)?
  /// Whether MAC addresses, serial numbers, UUIDs of disks and the host's name stay in it.
  package var keepsIdentities = false

  package init(kernel: any KernelReader, units: (any UnitReader)?) {
    self.kernel = kernel
    self.units = units
  }

  /// A record, and what could not be read for it.
  package struct Result {
    package var host: RecordedHost
    package var failures: [HostError]
  }

  /// How long the manager may take to tell of one unit, in milliseconds.
  private static let patience = 5_000
  /// What stands in the place of the host's name.
  private static let otherName = "host"
  private static let policy: HostPath = "/etc/berth/berth.toml"
  private static let ledger: HostPath = "/run/berth/ledger"

  /// Reads the host, and changes nothing on it.
  ///
  /// - Throws: `ENOENT` and the like where there is no `/sys/devices/system/cpu`.
  package func record() throws(HostError) -> Result {
    _ = try kernel.entries(of: "/sys/devices/system/cpu")
    var recorder = CaptureRecorder(kernel: kernel)
    for places in CapturedPlaces.all { recorder.record(places) }
    if keepsIdentities {
      for places in CapturedPlaces.identities { recorder.record(places) }
    }
    try ProcessCapture(kernel: kernel).record(in: &recorder)
    recordMounts(in: &recorder)
    recordBalancers(in: &recorder)
    recordMappings(in: &recorder)
    recordWhatPolicyNames(in: &recorder)
    if !recorder.has("/recorded/limits") { recordManners(in: &recorder) }
    let items = keepsIdentities ? sorted(recorder.items) : disguised(recorder.items)
    return Result(host: RecordedHost(items: items), failures: recorder.failures)
  }

  /// What is mounted stands where the readers look for it: `/proc/mounts` and, where PID 1 may not be
  /// looked into, `/proc/1/mountinfo` are the reader's own, behind links that lead to its number.
  private func recordMounts(in recorder: inout CaptureRecorder) {
    if !recorder.has("/proc/1/mountinfo"), let text = try? kernel.text(of: "/proc/self/mountinfo"),
      let kept = Redaction.mounts(text, "/proc/1/mountinfo")
    {
      recorder.put(kept, at: "/proc/1/mountinfo")
    }
    if let text = try? kernel.text(of: "/proc/mounts"), let kept = Redaction.mountTable(text) {
      recorder.put(kept, at: "/proc/mounts")
    }
  }

  /// What each irqbalance answers stands where its socket is: see `RecordedBalancer`.
  private func recordBalancers(in recorder: inout CaptureRecorder) {
    for balancer in (try? Balancer.running(on: kernel)) ?? [] {
      if let text = try? kernel.text(of: balancer.socket) {
        recorder.put(text, at: balancer.socket)
      } else if let setup = try? balancer.setup() {
        let interrupts = setup.bannedInterrupts.map { " \($0)" }.joined()
        recorder.put(
          "banned \(setup.bannedCPUs.mask)\nstandard \(setup.bannedCPUs.mask)\n"
            + (interrupts.isEmpty ? "" : "irqs\(interrupts)\n"), at: balancer.socket)
      } else {
        recorder.put("", at: balancer.socket)
      }
    }
  }

  private func recordMappings(in recorder: inout CaptureRecorder) {
    let path: HostPath = "/etc/pve/mapping/pci.cfg"
    guard kernel.exists(path), let (place, text) = recorder.text(of: path), let name = hostName()
    else { return }
    let other = keepsIdentities ? name : Self.otherName
    recorder.put(Redaction.mappings(text, of: name, as: other), at: place)
  }

  /// The attributes, programs and units that the policy file names.
  private func recordWhatPolicyNames(in recorder: inout CaptureRecorder) {
    guard kernel.exists(Self.policy), let text = try? kernel.text(of: Self.policy) else { return }
    let units =
      CapturedPlaces.units
      + Self.quoted(in: text).compactMap { word in
        Self.unit(named: word)
      }
    for word in Self.quoted(in: text) where word.begins(with: "/") {
      recorder.record(CapturedPlaces(namedByPolicy: word))
    }
    if !recorder.has("/recorded/units") { record(units: units, in: &recorder) }
  }

  /// A unit by its name, which for a service may be short; nil for what is none.
  private static func unit(named word: String) -> String? {
    if [".service", ".socket", ".timer"].contains(where: word.ends) { return word }
    let isName = word.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
      default: "-_@".utf8.contains(byte)
      }
    }
    return isName && word.utf8.count > 2 ? "\(word).service" : nil
  }

  private func record(units names: [String], in recorder: inout CaptureRecorder) {
    guard let units else { return }
    for name in names where !name.has("/") {
      guard
        let facts = try? units.service(
          named: name, until: kernel.now.advanced(byMilliseconds: Self.patience)),
        let unit = facts.unit
      else { continue }
      recorder.put(facts.isActive ? "active\n" : "inactive\n", at: "/recorded/units/\(unit)")
      if unit != name { recorder.put(link: unit, at: "/recorded/units/\(name)") }
    }
  }

  /// What stands between quotes in a text, without what follows a blank: a command's arguments.
  private static func quoted(in text: String) -> [String] {
    text.fields(at: "\n").flatMap { line in
      line.fields(at: "\"", keepingEmpty: true).enumerated()
        .filter { $0.offset % 2 == 1 }
        .map { String($0.element.cut(at: " ")?.head ?? $0.element) }
    }
  }

  private func hostName() -> String? {
    guard let name = try? kernel.word(of: "/proc/sys/kernel/hostname") else { return nil }
    return name.fields(at: ".").first.map(String.init)
  }
}

extension HostCapture {
  /// What the files do not tell of how this kernel answers: see `RecordedLimits`.
  private func recordManners(in recorder: inout CaptureRecorder) {
    var lines = ["# What the kernel of the captured host would answer, as far as it shows."]
    for address in (try? kernel.entriesIfPresent(of: "/sys/bus/pci/devices")) ?? [] {
      let device: HostPath = "/sys/bus/pci/devices/\(address)"
      guard let driver = (try? kernel.target(of: "\(device)/driver")) ?? nil,
        !driver.begins(with: "vfio"), driver != "pci-stub"
      else { continue }
      lines.append("\(device) driver \(driver)")
    }
    for disk in FactReader(kernel: kernel).disksOfFunctions() {
      let patience = kernel.now.advanced(byMilliseconds: 2_000)
      guard let isTaken = try? kernel.isTaken(disk, until: patience) else { continue }
      lines.append("\(disk.file) taken \(isTaken ? "yes" : "no")")
    }
    for interrupt in (try? FactReader(kernel: kernel).handledInterrupts()) ?? []
    where !interrupt.isMovable {
      lines.append("/proc/irq/\(interrupt.number)/smp_affinity_list managed yes")
    }
    do throws(HostError) {
      _ = try kernel.coreCookie(of: kernel.ownPID)
    } catch {
      lines.append("core-scheduling refuses \(error.errno)")
    }
    recorder.put(lines.map { $0 + "\n" }.joined(), at: RecordedHost.limits)
  }
}

extension HostCapture {
  private typealias Item = RecordedHost.Item

  private func sorted(_ items: [HostPath: Item]) -> [(path: HostPath, item: Item)] {
    items.sorted { $0.key < $1.key }.map { (path: $0.key, item: $0.value) }
  }

  /// The places without what tells this machine from others, wherever it stands.
  private func disguised(_ items: [HostPath: Item]) -> [(path: HostPath, item: Item)] {
    var disguise = Disguise()
    let name = hostName()
    return sorted(items).map { path, item in
      let isNamed = Self.mayNameHost(path)
      func hidden(_ text: String, of disguise: inout Disguise) -> String {
        let text = disguise.withoutMACs(text)
        guard isNamed else { return text }
        return Self.without(name, in: disguise.withoutUUIDs(text))
      }
      let place = HostPath(foreign: hidden(path.description, of: &disguise))
      switch item {
      case .file(let text, let isProgram):
        var changed = hidden(text, of: &disguise)
        if path == Self.ledger { changed = LedgerText.withoutArguments(changed) }
        if path == Self.ledger, changed != text { changed = LedgerText.resealed(changed) }
        return (place, .file(changed, isProgram: isProgram))
      case .link(let target): return (place, .link(hidden(target, of: &disguise)))
      case .folder, .counter: return (place, item)
      }
    }
  }

  /// Whether the host's name or the UUID of a disk may stand in a place's path or text.
  private static func mayNameHost(_ path: HostPath) -> Bool {
    ["/etc/pve", "/proc/1/mountinfo", "/proc/mounts", "/proc/swaps", "/sys/fs/btrfs"].contains(
      where: path.begins)
      || path == "/proc/sys/kernel/hostname" || path.ends(with: "/dm/name")
  }

  /// The text with another name for the host, also as device-mapper spells it: with each hyphen
  /// twice.
  private static func without(_ name: String?, in text: String) -> String {
    guard let name, !name.isEmpty else { return text }
    var result = text
    for spelling in [name.replaced("-", by: "--"), name] {
      result = result.replacingWord(spelling, with: otherName)
    }
    return result
  }
}

extension String {
  /// The text with another word in the place of one, where that is no part of a longer one.
  fileprivate func replacingWord(_ word: String, with other: String) -> String {
    func isPart(_ byte: UInt8?) -> Bool {
      byte.map { $0.isDigit || $0.isLetter || $0 == UInt8(ascii: "_") } ?? false
    }
    let wanted = Array(word.utf8)
    var result: [UInt8] = []
    var rest = Array(utf8)[...]
    while let byte = rest.first {
      let isWord =
        rest.starts(with: wanted) && !isPart(result.last)
        && !isPart(rest.dropFirst(wanted.count).first)
      result += isWord ? Array(other.utf8) : [byte]
      rest = rest.dropFirst(isWord ? wanted.count : 1)
    }
    return String(decoding: result, as: UTF8.self)
  }
}
