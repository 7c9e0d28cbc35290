/// Attributes that the kernel changes together, as they are on a host that nobody has tuned.
package enum Coupled {
  package static let lines = """
    proc/sys/kernel/nmi_watchdog\t1
    proc/sys/kernel/soft_watchdog\t1
    proc/sys/kernel/watchdog\t1
    proc/sys/vm/dirty_background_bytes\t0
    proc/sys/vm/dirty_background_ratio\t10
    proc/sys/vm/dirty_bytes\t0
    proc/sys/vm/dirty_ratio\t20
    proc/sys/vm/overcommit_kbytes\t0
    proc/sys/vm/overcommit_ratio\t50

    """
}
