import CLinux
package import HostModel

/// Keeps a hook that a signal ends from ending a VM, and from being silent.
///
/// libvirt kills a running domain whose `started` or `reconnect` hook ends by a signal, and a fault of
/// Berth's own is one: Swift stops a program whose arithmetic overflows, and one that gets no memory.
/// From here on each signal that can be caught and ends the process (signal(7)) does so with the status of
/// its phase; those that nobody means it by are blocked. Before that, a handler on a stack of its own, which does no more than signal-safety(7)
/// allows, makes a file that has `berth-reconcile.path` look at the host again, and sends an entry to
/// the journal with the digest of what the hook was called with. The kernel closes what was open, so
/// that no lock stays, and ends the children that slow calls are made in.
///
/// That costs 17 system calls and no memory. A hook that has work to do, and may not refuse, does it in a child:
/// whatever ends that, SIGKILL and the kernel without memory included, its parent tells of, and ends with the
/// status of the phase. That costs some 0.3 ms.
package struct Containment {
  /// What the hook is called for, which the journal is told.
  package var domain: String
  package var phase: String
  /// The exit status where a signal ends the work: anything but 0 refuses a start.
  package var status: Int32
  /// What that means for the VM, as the end of a sentence.
  package var consequence: String
  package var journal = "/run/systemd/journal/socket"
  /// Not made where Berth keeps no state: then nothing was taken.
  package var mark = "/run/berth/crashed"

  package init(domain: String, phase: String, status: Int32, consequence: String) {
    self.domain = domain
    self.phase = phase
    self.status = status
    self.consequence = consequence
  }

  /// The `MESSAGE_ID=` of what is said of a signal, for `journalctl MESSAGE_ID=…`.
  package static let messageID = CLINUX_CRASH_ID

  /// Takes effect for the rest of this process, in the thread that calls.
  ///
  /// - Throws: What sigaction(2) or sigaltstack(2) says, with part of the signals caught.
  package func begin() throws(HostError) {
    let error = domain.withCString { domain in
      phase.withCString { phase in
        consequence.withCString { consequence in
          journal.withCString { journal in
            mark.withCString { mark in
              var words = clinux_last_words(
                status: status, domain: domain, phase: phase, consequence: consequence,
                journal: journal, mark: mark)
              return clinux_contain_crashes(&words)
            }
          }
        }
      }
    }
    if error < 0 { throw HostError(.call, "sigaction", errno: -error) }
  }

  /// Goes on in a child of this process, which does nothing any more but wait for its end.
  ///
  /// Where none can be made, this process goes on itself, as well contained as before.
  package static func goOnInChild() { _ = clinux_work_in_child() }

  /// Keeps a copy of what the hook was called with, for its digest.
  package static func remember(input bytes: [UInt8]) {
    clinux_remember_input(bytes, bytes.count)
  }
}

/// The memory and the CPU time that a hook may use: far more than it needs on the greatest of hosts, and
/// less than would be felt.
///
/// A host with 512 CPUs, 3,000 kernel threads and 20 VMs takes 12 MiB, and the worst text of those that are
/// accepted less than 56 (`Tests/Recorded/peaks.sh`). What slow calls take is not counted: the children in
/// which they are made, and the programs, have the limits that the hook was called with.
package struct OwnLimits {
  package var memoryBytes: UInt64
  package var cpuSeconds: UInt64

  package init(memoryBytes: UInt64 = 64 << 20, cpuSeconds: UInt64) {
    self.memoryBytes = memoryBytes
    self.cpuSeconds = cpuSeconds
  }

  /// Takes effect for the rest of this process; a limit that is lower already stays.
  ///
  /// - Throws: What setrlimit(2) says.
  package func begin() throws(HostError) {
    let error = clinux_limit(memoryBytes, cpuSeconds)
    if error < 0 { throw HostError(.call, "setrlimit", errno: -error) }
  }
}
