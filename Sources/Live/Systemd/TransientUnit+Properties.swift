internal import HostModel
internal import Port

extension TransientUnit {
  /// The service's properties, as `StartTransientUnit` takes them.
  var properties: [BusProperty] {
    var properties: [BusProperty] = [
      ("Description", .string(line)),
      ("Type", .string(kind.rawValue)),
      ("RemainAfterExit", .boolean(remainsAfterExit)),
      ("CollectMode", .string(collectMode)),
      ("DefaultDependencies", .boolean(hasDefaultDependencies)),
    ]
    // What a path unit has started is seen through, whatever has ended meanwhile.
    if !bindsTo.isEmpty, watchedFiles.isEmpty {
      properties.append(("BindsTo", .strings(bindsTo)))
    }
    if !after.isEmpty, watchedFiles.isEmpty { properties.append(("After", .strings(after))) }
    if !start.isEmpty { properties.append(("ExecStart", .commands(start))) }
    if !stop.isEmpty { properties.append(("ExecStop", .commands(stop))) }
    if !stopPost.isEmpty { properties.append(("ExecStopPost", .commands(stopPost))) }
    if let stopTimeoutSeconds {
      properties.append(("TimeoutStopUSec", .number(UInt64(stopTimeoutSeconds) * 1_000_000)))
    }
    if let startTimeoutSeconds {
      properties.append(("TimeoutStartUSec", .number(UInt64(startTimeoutSeconds) * 1_000_000)))
    }
    if !environment.isEmpty { properties.append(("Environment", .strings(environment))) }
    if isConfined { properties += Self.confinement }
    // Somebody may write as often as he likes, and is still to be followed the next time.
    if !watchedFiles.isEmpty { properties.append(("StartLimitIntervalUSec", .number(0))) }
    return properties
  }

  /// Of systemd.exec(5), all older than the oldest systemd that Berth is for.
  private static var confinement: [BusProperty] {
    [
      ("LockPersonality", .boolean(true)),
      ("MemoryDenyWriteExecute", .boolean(true)),
      // None that may be made: no flag of clone(2) is let through.
      ("RestrictNamespaces", .number(0)),
      ("RestrictSUIDSGID", .boolean(true)),
      ("SystemCallArchitectures", .strings(["native"])),
    ]
  }

  /// The properties of the timer; nil where there is none.
  var timerProperties: [BusProperty]? {
    startsAfterSeconds.map { seconds in
      [
        ("Description", .string(line)),
        ("CollectMode", .string(collectMode)),
        ("DefaultDependencies", .boolean(hasDefaultDependencies)),
        ("TimersMonotonic", .timers(timers(after: seconds))),
        // A timer is by default up to a minute late.
        ("AccuracyUSec", .number(1_000_000)),
        // It is over when it has elapsed, rather than waiting for its service to end.
        ("RemainAfterElapse", .boolean(false)),
      ]
    }
  }

  /// The properties of the path unit; nil where there is none.
  var pathProperties: [BusProperty]? {
    if watchedFiles.isEmpty { return nil }
    return [
      ("Description", .string(line)),
      ("CollectMode", .string(collectMode)),
      ("DefaultDependencies", .boolean(hasDefaultDependencies)),
      ("BindsTo", .strings(bindsTo)),
      ("After", .strings(after)),
      ("Paths", .paths(watchedFiles)),
    ]
  }

  private func timers(after seconds: Int) -> [BusTimer] {
    let first = BusTimer(base: "OnActiveSec", microseconds: UInt64(seconds) * 1_000_000)
    guard let repeatsAfterSeconds else { return [first] }
    let next = UInt64(repeatsAfterSeconds) * 1_000_000
    return [first, BusTimer(base: "OnUnitInactiveSec", microseconds: next)]
  }

  private var collectMode: String { vanishesAfterFailure ? "inactive-or-failed" : "inactive" }

  /// The description on one line: a domain's name may hold newlines, which would be lines of the
  /// unit's file.
  private var line: String {
    String(String.UnicodeScalarView(description.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
  }
}
