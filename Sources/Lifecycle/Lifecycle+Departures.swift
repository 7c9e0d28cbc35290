package import HostModel
package import Ledger
internal import Tunings

extension Lifecycle {
  /// The functions that VMs which run were handed and have no more, by what their hypervisor's files say,
  /// and that wait on the driver that they were handed to.
  ///
  /// They are not given back before their VM stops: who took one out may put it in again, which libvirt
  /// does with a function that nobody binds for it only while it waits there. One that somebody has given
  /// back already is none of these, and is left alone.
  package func departures(
    in ledger: Ledger, until deadline: Deadline
  ) throws -> [FunctionDeparture] {
    var departures: [FunctionDeparture] = []
    for holder in ledger.holders where holder.isIn {
      let bound = ledger.entries.filter { entry in
        entry.setting.isDriver && entry.claims.contains(holder.id) && !entry.hasOnlyPassiveClaims
      }
      guard !bound.isEmpty, liveness.isSeenRunning(holder), let request = try requests(holder)
      else {
        continue
      }
      let handed = withSlots(request, until: deadline).handedFunctions
      for entry in bound {
        guard case .driver(let function) = entry.setting, !handed.contains(function),
          case .driver(let standing)? = try actual(entry.setting, in: ledger, until: deadline),
          let driver = standing.driver, .driver(standing) == entry.written
        else { continue }
        departures.append(
          FunctionDeparture(function: function, domain: holder.name, driver: driver))
      }
    }
    return departures
  }
}

extension Setting {
  fileprivate var isDriver: Bool { if case .driver = self { true } else { false } }
}
