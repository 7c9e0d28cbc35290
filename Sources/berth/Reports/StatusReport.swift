internal import HostModel
internal import HostIO
internal import Ledger

/// Who is in, and for each setting what it was, is to be, and is.
struct StatusReport: Encodable {
  var holders: [HolderStatus]
  var settings: [SettingStatus]
  /// Ledgers that could not be read: what they name was not given back.
  var damaged: [String]

  struct HolderStatus: Encodable {
    var hypervisor: String
    var id: String
    var name: String
    /// Missing until QEMU runs.
    var pid: Int?
    var vcpuCPUs: String
  }

  struct SettingStatus: Encodable {
    var setting: String
    /// The setting's name for people.
    var title: String
    var holders: [String]
    var original: String
    var wanted: String?
    /// Missing where the place is gone or cannot be read.
    var actual: String?
    var isForeign: Bool
    /// Whether the setting is only remembered, to be put back afterwards.
    var isKept: Bool
    /// Whether it stands for many, which are settings of their own.
    var isCollective = false
    var verdict: String?
    var reasons: [String]
  }
}

extension StatusReport {
  init(_ ledger: Ledger, damaged: [String], on host: Lifecycle) {
    self.damaged = damaged
    holders = ledger.holders.map { holder in
      HolderStatus(
        hypervisor: holder.id.hypervisor.rawValue, id: holder.id.id, name: holder.name,
        pid: holder.process?.pid, vcpuCPUs: "\(holder.vcpuCPUs)")
    }
    settings = ledger.entries.map { entry in
      SettingStatus(entry, in: ledger, on: host)
    }
  }

  var lines: [Text] {
    let damage = damaged.map {
      Text("damaged: ", .red) + Text("\($0) could not be read; what it names was not given back")
    }
    if holders.isEmpty, settings.isEmpty {
      return damage.isEmpty ? ["no domain is in; the host is as it was"] : damage
    }
    var table = Table()
    for holder in holders {
      table.append(
        Text(name: holder.name, .bold), Text(holder.id),
        Text(holder.pid.map { "QEMU \($0)" } ?? "not running yet"),
        Text(holder.vcpuCPUs.isEmpty ? "" : "vCPUs on \(holder.vcpuCPUs)"))
    }
    var values = Table()
    values.append("SETTING", "WAS", "IS TO BE", "IS", "HELD BY")
    for setting in settings where !setting.isKept {
      let holders = setting.holders.joined(separator: ", ")
      values.append(
        Text(setting.title), Text(setting.original), Text(setting.wanted ?? "?"),
        setting.actualText, Text(name: holders.isEmpty ? "nobody, being given back" : holders))
    }
    let kept = settings.count { $0.isKept }
    let rest: [Text] =
      kept == 0
      ? [] : [Text("and the CPUs of \(kept) tasks, which are put back afterwards", .faint)]
    return table.lines() + [""] + values.lines() + rest + settings.compactMap(\.note) + damage
  }
}

extension StatusReport.SettingStatus {
  init(_ entry: Entry, in ledger: Ledger, on host: Lifecycle) {
    setting = "\(entry.setting)"
    title = entry.setting.title
    holders = entry.claims.map { ledger.name(of: $0.holder) }
    original = "\(entry.original)"
    reasons = entry.claims.map(\.reason)
    verdict = entry.verdict
    var standing: Value?
    do throws(HostError) {
      standing = try host.actual(entry.setting)
    } catch {
      verdict = "\(error)"
    }
    let target = entry.target(given: standing)
    wanted = target.map { "\($0)" }
    actual = standing.map { "\($0)" }
    isKept = entry.isOnlyKept && entry.setting.followsOthers
    if case .every = entry.setting { isCollective = true }
    isForeign = standing.map { entry.isForeign($0) } ?? false
  }

  fileprivate var actualText: Text {
    guard let actual else { return isCollective ? "each of them" : "gone" }
    if isForeign { return Text("\(actual) (changed by somebody else)", .yellow) }
    return Text(actual, actual == wanted ? nil : .red)
  }

  fileprivate var note: Text? {
    verdict.map { Text("failed: ", .red) + Text("\(title): \($0)") }
  }
}
