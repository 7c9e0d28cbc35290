internal import HostModel
internal import Ledger
internal import Lifecycle

/// Who is in, and for each setting what it was, is to be, and is.
struct StatusReport: Encodable {
  var holders: [HolderStatus]
  var settings: [SettingStatus]
  /// What Berth has obtained of each huge page pool.
  var hugepages: [HeldPages] = []
  /// Ledgers that could not be read: what they name was not given back.
  var damaged: [String]
  /// The units that stand by; null on a host that cannot tell.
  @Nullable var guards: [GuardStatus]? = nil
  /// The last warnings and errors since the boot, the newest first; null on a host that cannot tell.
  @Nullable var errors: [Complaint]? = nil
  /// What no VM gets, whatever is said of it elsewhere; null where the policy cannot be read.
  @Nullable var limits: LimitStatus? = nil
  /// What could not be found out, and why.
  var remarks: [String] = []

  /// 0 where all is in place, 1 where a setting has drifted or a goal was given up, 2 where that cannot be
  /// told, as a ledger is damaged.
  var exitStatus: Int32 {
    if !damaged.isEmpty { return 2 }
    // A guest that is frozen for a backup is still to be served.
    let isGivenUp = holders.contains { holder in
      holder.goals.contains { $0.reached == nil && $0.goal != Attainment.service }
    }
    return isGivenUp || settings.contains { !$0.isAsWanted } ? 1 : 0
  }

  struct HolderStatus: Encodable {
    var hypervisor: String
    var id: String
    var name: String
    /// Missing until QEMU runs.
    var pid: Int?
    var vcpuCPUs: String
    /// Where its ways to goals have ended that could be reached in several.
    var goals: [GoalStatus] = []
  }

  struct GoalStatus: Encodable {
    var goal: String
    /// The way that stands; null where none does.
    @Nullable var reached: String?
    /// Better ways, and why they are not taken.
    var missed: [MissedWay]
  }

  struct MissedWay: Encodable {
    var way: String
    var reason: String
  }

  struct SettingStatus: Encodable {
    var setting: String
    /// The setting's name for people.
    var title: String
    /// What many of its kind are counted as; missing for one that stands by itself.
    var family: SettingFamily?
    var holders: [String]
    var original: String
    var wanted: String?
    /// Missing where the place is gone or cannot be read.
    var actual: String?
    var isForeign: Bool
    /// What the kernel itself has done to the setting, as a sentence; missing where it has not.
    var kernelChange: String? = nil
    /// Whether the setting is only remembered, to be put back afterwards.
    var isKept: Bool
    /// Whether it stands for many, which are settings of their own.
    var isCollective = false
    var verdict: String?
    var reasons: [String]

    /// Whether the setting holds what it is to hold, as far as anybody can tell.
    var isAsWanted: Bool {
      verdict == nil && !isForeign && (actual == nil || wanted == nil || actual == wanted)
    }
  }

  /// `[limits]` of the policy, as it holds.
  struct LimitStatus: Encodable {
    /// What stays with the host of each node, such as `2 GiB`, or `auto`.
    var hostMemory: String
    var hostCPUCount: Int
    var hostCPUs: String
    /// Missing where VMs may claim all.
    var cpus: String?
    var nodes: String?
    var metadata: String
    /// Whether the policy says nothing of them.
    var areStandard: Bool
  }

  struct HeldPages: Encodable {
    var node: Int
    var pageKiB: Int
    var pages: Int
  }

  struct GuardStatus: Encodable {
    var unit: String
    var purpose: String
    /// As the end of “it waits …”; missing where it waits no more.
    var awaited: String?
    var hasFailed: Bool
  }

  struct Complaint: Encodable {
    /// When it was said last, as ISO 8601 has it, in UTC.
    var time: String
    /// The same on the host's clock.
    var localTime: String
    var domain: String?
    var phase: String?
    var isError: Bool
    var sentence: String
    /// How often it was said.
    var count: Int
  }
}

extension StatusReport {
  init(_ ledger: Ledger, damaged: [String], on host: Lifecycle, until deadline: Deadline) {
    self.damaged = damaged
    holders = ledger.holders.map { holder in
      HolderStatus(
        hypervisor: holder.id.hypervisor.rawValue, id: holder.id.id, name: holder.name,
        pid: holder.process?.pid, vcpuCPUs: "\(holder.vcpuCPUs)",
        goals: holder.attained.map(GoalStatus.init))
    }
    settings = ledger.entries.map { entry in
      SettingStatus(entry, in: ledger, on: host, until: deadline)
    }
    hugepages = ledger.entries.compactMap(HeldPages.init)
  }
}

extension StatusReport {
  /// What these hold, and all else as it is; all of it for none.
  func only(_ ids: [HolderID]) -> StatusReport {
    if ids.isEmpty { return self }
    var report = self
    report.holders.removeAll { holder in
      !ids.contains { $0.id == holder.id && $0.hypervisor.rawValue == holder.hypervisor }
    }
    let kept = report.holders.map(\.name)
    report.settings.removeAll { $0.holders.allSatisfy { !kept.contains($0) } }
    return report
  }
}

extension StatusReport.LimitStatus {
  init(_ limits: Policy.Limits) {
    self.init(
      hostMemory: limits.hostMemoryKiB.map { "\(MemorySize(kiB: $0))" } ?? "auto",
      hostCPUCount: limits.hostCPUCount, hostCPUs: "\(limits.hostCPUs)",
      cpus: limits.cpus.map { "\($0)" }, nodes: limits.nodes.map { "\($0)" },
      metadata: limits.metadata.rawValue, areStandard: limits == Policy.Limits())
  }

  /// The lines of the policy, for people.
  var sentence: String {
    var parts = [
      "host-memory = \"\(hostMemory)\"",
      hostCPUs.isEmpty ? "host-cpus = \(hostCPUCount)" : "host-cpus = \"\(hostCPUs)\"",
    ]
    if let cpus { parts.append("cpus = \"\(cpus)\"") }
    if let nodes { parts.append("nodes = \"\(nodes)\"") }
    parts.append("metadata = \"\(metadata)\"")
    return "no VM gets more than [limits] leave: " + parts.joined(separator: ", ")
  }
}

extension StatusReport.GoalStatus {
  fileprivate init(_ attainment: Attainment) {
    self.init(
      goal: attainment.goal, reached: attainment.rung,
      missed: attainment.misses.map {
        StatusReport.MissedWay(way: $0.name, reason: $0.reason)
      })
  }
}

extension StatusReport.HeldPages {
  /// nil for an entry that is no pool, or of which nothing was obtained yet.
  fileprivate init?(_ entry: Entry) {
    // Of a shared setting, what was written is what was obtained.
    guard case .hugepagePool(let pool) = entry.setting, case .count(let pages)? = entry.written
    else { return nil }
    self.init(node: pool.node, pageKiB: pool.pageKiB, pages: pages)
  }
}

extension StatusReport.SettingStatus {
  init(_ entry: Entry, in ledger: Ledger, on host: Lifecycle, until deadline: Deadline) {
    setting = "\(entry.setting)"
    title = entry.setting.title
    family = entry.setting.family
    holders = entry.claims.map { ledger.name(of: $0.holder) }
    original = "\(entry.original)"
    reasons = entry.claims.map(entry.reason)
    verdict = entry.verdict
    var standing: Value?
    do throws(HostError) {
      standing = try host.actual(entry.setting, in: ledger, until: deadline)
    } catch {
      verdict = "\(error)"
    }
    let target = entry.target(given: standing)
    wanted = target.map { "\($0)" }
    actual = standing.map { "\($0)" }
    isKept = entry.hasOnlyPassiveClaims && entry.setting.followsCpuset
    if case .every = entry.setting { isCollective = true }
    isForeign = false
    guard let standing else { return }
    do {
      let author = try host.author(of: standing, in: entry)
      isForeign = author == .somebody
      if author == .kernel { kernelChange = entry.setting.kernelChangeSentence }
    } catch {
      verdict = "\(error)"
    }
  }
}
