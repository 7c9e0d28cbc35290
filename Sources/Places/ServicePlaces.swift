internal import HostModel
internal import Port

/// Whether a unit of the host is active.
struct ServicePlace: Place {
  let systemd: any Systemd
  let unit: String

  func read(until deadline: Deadline) throws(HostError) -> Value {
    let state = try systemd.state(of: unit, until: deadline)
    // A unit whose file was taken away lives on until it stops.
    guard state.exists || state.activity != .inactive else {
      throw HostError(.read, unit, errno: ErrorNumber.notFound.number)
    }
    // One that is starting is what whoever starts it wants it to be.
    return .activity(state.activity == .starting ? .active : state.activity)
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    switch value {
    case .activity(.active): try systemd.start(unit, until: deadline)
    case .activity(.inactive): try systemd.stop(unit, until: deadline)
    default: throw unsupported(value, at: unit)
    }
  }
}

/// Whether a service of Berth's own is active.
///
/// One that nobody has made is inactive; one that has failed is, too, and systemd has run what
/// undoes it.
struct OwnServicePlace: Place {
  let kernel: any Kernel
  let systemd: any Systemd
  let service: OwnService

  /// How long a command that is not waited for is watched, to hear of what fails at once.
  private static let glance = 1_000
  /// How long a service may take to make room for its next run.
  private static let patience = 3_000

  func read(until deadline: Deadline) throws(HostError) -> Value {
    let activity = try systemd.state(of: service.unit, until: deadline).activity
    if activity == .inactive, let scope = service.boundTo,
      try !systemd.state(of: scope, until: deadline).isActive
    {
      throw HostError(.read, service.unit, errno: ErrorNumber.notFound.number)
    }
    return .activity(seen(activity))
  }

  func write(_ value: Value, until deadline: Deadline) throws(HostError) {
    do throws(HostError) {
      switch value {
      case .activity(.active): try start(until: deadline)
      case .activity(.inactive): try stop(until: deadline)
      default: throw unsupported(value, at: service.unit)
      }
    } catch {
      // People know the command, not the unit.
      throw HostError(
        error.operation, service.title, value: error.value, errno: error.errno,
        diagnosis: error.diagnosis)
    }
  }

  /// What is not waited for is done once it has begun.
  private func seen(_ activity: Activity) -> Activity {
    service.manner == .awaited ? activity : Value.activity(activity).atRest.activity ?? activity
  }

  private func start(until deadline: Deadline) throws(HostError) {
    let isAwaited = service.manner == .awaited
    let end = isAwaited ? deadline : min(deadline, kernel.now.advanced(byMilliseconds: Self.glance))
    do throws(HostError) {
      try startAnew(until: end, within: deadline)
    } catch  where ErrorNumber(error.errno) == .timedOut && !isAwaited {
      // It goes on by itself.
    }
  }

  /// Starts the service, once an earlier run of it is over; one that has begun already is joined.
  private func startAnew(until end: Deadline, within deadline: Deadline) throws(HostError) {
    let patience = min(deadline, max(end, kernel.now.advanced(byMilliseconds: Self.patience)))
    while true {
      do throws(HostError) {
        return try systemd.startTransientUnit(service.transient, until: end)
      } catch  where ErrorNumber(error.errno) == .exists {
        switch try systemd.state(of: service.unit, until: patience).activity {
        case .active, .starting: return try systemd.start(service.unit, until: end)
        case .inactive, .stopping:
          if kernel.now >= patience { throw error }
          kernel.pause(milliseconds: 50)
        }
      }
    }
  }

  /// Stops the service, which runs what undoes it.
  ///
  /// That is waited for only where the command was. What starts another domain calls the
  /// hypervisor, which may be waiting for this very hook.
  private func stop(until deadline: Deadline) throws(HostError) {
    do throws(HostError) {
      if service.manner == .awaited { return try systemd.stop(service.unit, until: deadline) }
      try systemd.stopUnit(service.unit, until: deadline)
    } catch  where ErrorNumber(error.errno) == .notFound {
      return
    }
    let end = min(deadline, kernel.now.advanced(byMilliseconds: Self.glance))
    while try seen(systemd.state(of: service.unit, until: end).activity) != .inactive,
      kernel.now < end
    {
      kernel.pause(milliseconds: 10)
    }
  }
}

extension Value {
  fileprivate var activity: Activity? {
    if case .activity(let activity) = self { activity } else { nil }
  }
}

extension OwnService {
  /// The unit that does it.
  ///
  /// The undoing commands are run at every end of the service (`ExecStopPost=`), a failed start and
  /// one that was broken off among them: what a command has done before it fails is to be taken
  /// back as well.
  var transient: TransientUnit {
    var unit = TransientUnit(name: self.unit, description: "Berth: \(title)")
    unit.kind = manner == .alongside ? .exec : .oneshot
    unit.remainsAfterExit = manner != .alongside
    unit.hasDefaultDependencies = manner == .awaited || manner == .begun
    unit.start = [Self.unitCommand(command, ignoresFailure: manner == .asked)]
    unit.stopPost = undo.enumerated().map { number, command in
      Self.unitCommand(command, ignoresFailure: number < undo.count - 1)
    }
    unit.environment = environment
    unit.startTimeoutSeconds = seconds
    unit.stopTimeoutSeconds = seconds
    if let boundTo {
      unit.bindsTo = [boundTo]
      unit.after = [boundTo]
    }
    return unit
  }

  private static func unitCommand(
    _ words: [String], ignoresFailure: Bool
  ) -> UnitCommand {
    UnitCommand(words.first ?? "", Array(words.dropFirst()), ignoresFailure: ignoresFailure)
  }
}
