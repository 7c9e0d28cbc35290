internal import HostModel
internal import Ledger
internal import Port
internal import Tunings

/// Domains that are on without that their guest runs, as Proxmox has them for a backup.
///
/// QEMU is started frozen then. Of a machine that was off, that is all; one that was stopped for its backup is
/// let go as soon as the backup has begun, still under its lock, and `qm start` lets any other go without a word
/// to its hook (`vm_start()` in src/PVE/QemuServer.pm).
extension Lifecycle {
  /// How long a QEMU may take to say whether its guest runs.
  private static let patience = 2_000

  /// A request that leaves out what serves a guest alone, where that has not begun to run, with what is to be
  /// said of it; the domain is looked at again until it has.
  func withGuest(
    _ request: Request, _ holder: inout Holder, until deadline: Deadline
  ) -> (request: Request, words: [String]) {
    guard request.domain.proxmox?.isBeingBackedUp == true,
      !hasBegun(request.domain, until: deadline)
    else { return (request, []) }
    var waiting = request
    waiting.guestWaits = true
    holder.attained = [.awaitingGuest]
    return (
      waiting,
      ["\(holder.name) was started for a backup; pins and isolation follow when its guest runs"]
    )
  }

  /// Whether a guest has begun to run; one that cannot be asked has not, and is asked again.
  func hasBegun(_ domain: Domain, until deadline: Deadline) -> Bool {
    // Without the lock nobody has it frozen.
    guard domain.proxmox?.isBeingBackedUp == true else { return true }
    guard let monitor else { return false }
    let patience = min(deadline, kernel.now.advanced(byMilliseconds: Self.patience))
    do throws(HostError) {
      return try monitor.hasBegun(domain, until: patience)
    } catch {
      return false
    }
  }
}
