import HostModel
import Ledger

/// What appears and vanishes on a host by itself.
extension World {
  /// A domain's QEMU is started: its threads and its scope's cgroups exist from here on.
  func begin(_ visitor: Visitor) {
    for (setting, value) in visitor.belongings { values[setting] = value }
    // Of what was lent without Berth's knowledge nobody could say how it was before.
    for (setting, value) in visitor.borrowings {
      let entry = saved.entries.first { $0.setting == setting }
      let isLent = entry?.claims.contains { $0.holder == visitor.holder.id } ?? false
      if isLent, values[setting] == entry?.original { values[setting] = value }
    }
  }

  /// A domain's QEMU is gone, and with it all that was its own; the numbers of its threads belong
  /// to others soon.
  func end(_ visitor: Visitor) {
    for (setting, _) in visitor.belongings {
      guard values.removeValue(forKey: setting) != nil else { continue }
      if let stranger = setting.stranger { values[stranger.setting] = stranger.value }
    }
  }

  /// The machine is booted: everything is as firmware and configuration have it, and `/run` empty.
  func boot(into values: [Setting: Value]) {
    self.values = values
    saved = Ledger()
    revive()
  }
}

extension Setting {
  /// A later thread that has got the number of this one.
  var stranger: (setting: Setting, value: Value)? {
    switch self {
    case .affinity(var thread):
      thread.startTime += 1000
      return (.affinity(thread), .cpus([1]))
    case .scheduler(var thread):
      thread.startTime += 1000
      return (
        .scheduler(thread),
        .scheduler(ThreadScheduler(policy: 2, priority: 9, resetsOnFork: false))
      )
    case .coreCookie(var process):
      process.startTime += 1000
      return (.coreCookie(process), .text("none"))
    case .attribute, .coupled, .hugepagePool, .driver, .virtualFunctions, .virtualFunction, .slot,
      .platformDriver, .module, .console, .functionAttribute, .barSize, .allowedCPUs, .cpuset,
      .interrupt, .balancedOff, .balancing, .every, .service, .ownService:
      return nil
    }
  }
}
