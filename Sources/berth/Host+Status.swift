internal import Bytes
internal import Formats
internal import Glibc
internal import HostModel
internal import Ledger
internal import Lifecycle
internal import Live
internal import Port
internal import State

extension Host {
  /// How many of the last complaints are told of.
  private static let complaints = 5

  /// Who is in, what they hold, who stands by, and, if it is asked for, what went wrong since the
  /// boot.
  func status(withErrors: Bool = true) throws -> StatusReport {
    let lifecycle = lifecycle()
    let deadline = deadline(milliseconds: Self.patience)
    let ledger = try store.load()
    var report = StatusReport(
      ledger, damaged: try store.damagedFiles(), on: lifecycle, until: deadline)
    do {
      report.remarks += try lifecycle.departures(in: ledger, until: deadline)
        .map { "\($0); \($0.remedy)" }
    } catch {
      report.remarks.append("what VMs have of their functions is not known: \(error)")
    }
    do throws(HostError) {
      report.guards = try lifecycle.guards(until: deadline)?.map(StatusReport.GuardStatus.init)
    } catch {
      report.remarks.append("cannot list the guard units: \(error)")
    }
    guard withErrors else { return report }
    do {
      report.limits = StatusReport.LimitStatus(try policyFile().limits)
    } catch {
      report.remarks.append("the limits of the policy are not known: \(error)")
    }
    do throws(HostError) {
      report.errors = try lastComplaints()?.map(StatusReport.Complaint.init)
    } catch {
      report.remarks.append("what went wrong since the boot is not known: \(error)")
    }
    return report
  }

  /// nil on a recorded host, whose journal is elsewhere.
  private func lastComplaints() throws(HostError) -> [JournalReader.Complaint]? {
    guard let records else { return nil }
    let boot = try kernel.text(of: "/proc/sys/kernel/random/boot_id").trimmed
    let found = try records.complaints(since: boot, limit: Self.complaints)
    // Nothing found may be nothing there, or nothing that this user may read.
    if found.isEmpty, geteuid() != 0 {
      throw HostError(.read, "the journal of root", errno: ErrorNumber.accessDenied.number)
    }
    return found
  }
}

extension StatusReport.GuardStatus {
  fileprivate init(_ unit: ActiveGuard) {
    self.init(
      unit: unit.unit, purpose: unit.purpose, awaited: unit.awaited, hasFailed: unit.hasFailed)
  }
}

extension StatusReport.Complaint {
  fileprivate init(_ complaint: JournalReader.Complaint) {
    let moment = Moment(microseconds: complaint.microseconds)
    self.init(
      time: moment.inUTC, localTime: moment.forPeople, domain: complaint.domain,
      phase: complaint.phase, isError: complaint.isError, sentence: complaint.sentence,
      count: complaint.count)
  }
}
