"""A host that is made up, in which a hook runs as on any other.

In mount and PID namespaces of its own, /sys, /run and /etc are this host's, and what of /proc differs
from machine to machine is, too: CPUs, pools, interrupts, control groups and the kernel's release are
the same everywhere, and no process is seen but the benchmark's. System calls, threads and processes
are the machine's; of its CPUs, threads run on 0 and 1. What a kernel would do by itself after a call,
`settle` does.
"""

import ctypes
import os
import shutil
import subprocess
import sys

import bus
from host import Shape, Tree, host_groups, interrupts, processors, spelled
from lives import POOL, PROXMOX_DOMAIN, Domain, Guest, Host, Step
from measures import text_of

MS_BIND = 1 << 12
SELF = "BERTH_BENCH_NAMESPACE"
LIBC = ctypes.CDLL(None, use_errno=True)
PERSONALITY_QUERY, ADDR_NO_RANDOMIZE = 0xffffffff, 0x0040000

POLICY = """
[defaults]
budget.running = "5m"
[vm.bench]
isolation = "none"
pins.vcpus = ["1", "1"]
pins.iothreads = ["1"]
pins.emulator = "0"
scheduler.fifo-priority = 1
[vm."100"]
isolation = "none"
pins.vcpus = ["1", "1"]
pins.iothreads = ["1"]
pins.emulator = "0"
scheduler.fifo-priority = 1
[vm.isolated]
pins.vcpus = ["1"]
pins.iothreads = ["0"]
pins.emulator = "0"
[vm."other*"]
isolation = "none"
pins.vcpus = ["1"]
[vm."mover*"]
isolation = "none"
interrupts.move = "always"
"""


def why_not():
    """Why no host can be made on this machine; None where one can."""
    if os.geteuid() != 0:
        return "only root can make namespaces"
    if not {0, 1} <= os.sched_getaffinity(0):
        return "it needs CPUs 0 and 1"
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--propagation", "private",
         "chrt", "--fifo", "1", "true"], capture_output=True, check=False)
    if done.returncode != 0:
        said = done.stderr.decode().strip().splitlines()
        return f"namespaces or real-time threads are refused: {said[-1] if said else '?'}"
    return None


def is_inside():
    return SELF in os.environ


def go_inside(arguments):
    """Runs this program anew in namespaces of its own; returns how it ended."""
    return subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
         "--propagation", "private", sys.executable, *arguments],
        env=os.environ | {SELF: "inside"}, check=False).returncode


def mount(source, target, kind=None, flags=0, options=None):
    def raw(value):
        return value.encode() if value else None
    if LIBC.mount(raw(source), raw(target), raw(kind), flags, raw(options)) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}")


class MadeHost(Host):
    """The last CPU that threads are pinned to is CPU 1 on every machine."""

    last = 1

    def __init__(self, work, shape=Shape(cores=8), movable=24, fixed=8, release=(6, 12),
                 randomized=False):
        super().__init__(work)
        self.shape = shape
        self.has_partitions = release >= (6, 7)
        self.workers = 1
        self.others, self.strangers = [], []
        with open("/etc/ld.so.cache", "rb") as file:
            libraries = file.read()
        for folder in ("/sys", "/run", "/etc", "/proc/irq"):
            mount("tmpfs", folder, "tmpfs", 0, "mode=755")
        with open("/etc/ld.so.cache", "wb") as file:
            file.write(libraries)
        tree = Tree("/")
        for folder in ("run/bench", "run/libvirt/qemu", "run/qemu-server", "etc/berth"):
            tree.folder(folder)
        processors(tree, shape)
        host_groups(tree, shape, self.has_partitions)
        for queue in ("cpumask", "writeback/cpumask"):
            tree.file(f"sys/devices/virtual/workqueue/{queue}", shape.mask)
        for number in interrupts(tree, shape, movable + fixed, movable):
            # From Linux 6.12 on, the kernel's own are read-only.
            os.chmod(f"/proc/irq/{number}/smp_affinity_list", 0o444)
        for path, text in [("sys/kernel/osrelease", "{}.{}.48-amd64".format(*release)),
                           ("sys/kernel/sched_rt_runtime_us", "-1"),
                           ("meminfo", "MemTotal: 2110742528 kB\nHugepagesize: 2048 kB")]:
            self.replace(f"/proc/{path}", text)
        tree.file("etc/berth/berth.toml", POLICY)
        tree.file(f"etc/pve/qemu-server/{PROXMOX_DOMAIN.vmid}.conf", PROXMOX_DOMAIN.conf)
        os.sched_setaffinity(0, {0, 1})
        if not randomized:
            LIBC.personality(LIBC.personality(PERSONALITY_QUERY) | ADDR_NO_RANDOMIZE)

    def replace(self, path, text):
        """Puts a file of this host's over one of procfs."""
        name = "run/bench/" + path.strip("/").replace("/", "-")
        Tree("/").file(name, text)
        mount("/" + name, path, None, MS_BIND)

    def install(self, program):
        """A copy of a program as freshly made as on any machine, in memory."""
        copy = f"/run/bench/{os.path.basename(program)}"
        shutil.copy(program, copy)
        return copy

    def start_systemd(self):
        def confine(unit, mask):
            bits = int.from_bytes(mask, "little") or -1
            cpus = spelled(cpu for cpu in range(self.shape.cpus) if bits >> cpu & 1)
            for name in ("cpuset.cpus", "cpuset.cpus.effective"):
                Tree("/").file(f"sys/fs/cgroup/{unit}/{name}", cpus)
            Tree("/").file(f"run/systemd/system.control/{unit}.d/50-AllowedCPUs.conf", cpus)

        self.complaints = bus.journal()
        return bus.Manager(confine)

    def arrive(self, domain):
        guest = Guest(self.work, domain, self.workers)
        if domain.vmid:
            scope = f"qemu.slice/{domain.vmid}.scope"
        else:
            scope = f"machine.slice/machine-qemu\\x2d1\\x2d{domain.name}.scope"
        self.group(scope)
        groups = {}
        for tid, name in guest.threads():
            group = scope
            if not domain.vmid:
                part = "emulator"
                if name.startswith("CPU "):
                    part = "vcpu" + name.split()[1].partition("/")[0]
                elif name.startswith("IO "):
                    part = "iothread1"
                group = f"{scope}/libvirt/{part}"
            if group not in groups:
                self.group(group)
                groups[group] = f"/run/bench/{domain.name}-{len(groups)}"
                Tree("/").file(groups[group], f"0::/{group}")
            mount(groups[group], f"/proc/{guest.process.pid}/task/{tid}/cgroup", None, MS_BIND)
            if tid == guest.process.pid:
                mount(groups[group], f"/proc/{tid}/cgroup", None, MS_BIND)
        guest.scope = scope
        return guest

    def group(self, path):
        parts = path.split("/")
        for length in range(1, len(parts) + 1):
            part = "/".join(parts[:length])
            if not os.path.exists(f"/sys/fs/cgroup/{part}"):
                Tree("/").group(part, "", self.shape, self.has_partitions)

    def depart(self, guest):
        super().depart(guest)
        shutil.rmtree(f"/sys/fs/cgroup/{guest.scope}")

    def check(self, guest):
        if guest.domain.name != "isolated":
            return super().check(guest)
        left = spelled(set(range(self.shape.cpus)) - {1})
        if self.has_partitions:
            partition = f"{guest.scope}/libvirt/vcpu0/cpuset.cpus.partition"
            assert text_of(f"/sys/fs/cgroup/{partition}") == "isolated", "vCPU 0 is no partition"
        else:
            effective = text_of("/sys/fs/cgroup/system.slice/cpuset.cpus.effective").strip()
            assert effective == left, f"system.slice has CPUs {effective}"
        if os.path.exists("/proc/irq/100"):
            list_of_first = text_of("/proc/irq/100/smp_affinity_list").strip()
            assert list_of_first == left, f"interrupt 100 has CPUs {list_of_first}"

    def number_anew(self):
        """Processes of one life have the same numbers as those of another."""
        try:
            Tree("/").file("proc/sys/kernel/ns_last_pid", "2000")
        except OSError:
            pass  # This kernel has no such thing; numbers have a digit more or less.

    def settle(self, guest):
        """A QEMU takes its pages."""
        guests = [*self.others, *([guest] if guest else [])]
        free = self.pages() - sum(guest.domain.pages for guest in guests)
        for folder in (POOL, "/sys/kernel/mm/hugepages/hugepages-2048kB"):
            Tree("/").file(f"{folder[1:]}/free_hugepages", str(max(0, free)))

    def add_others(self, count, program, call, name="other"):
        """That many other domains; those whose name is `mover` have a CPU each, which interrupts are
        kept off."""
        for number in range(count):
            pin = number + 2 if name == "mover" else None
            other = Domain(f"{name}{number}", vcpus=1, pages=2, pin=pin)
            self.play(Step("", other, ("prepare", "begin", "-")), program, call)
            self.settle(None)
            self.others.append(self.arrive(other))
            self.settle(None)
            self.play(Step("", other, ("started", "begin", "-")), program, call)

    def add_processes(self, count):
        """That many that have nothing to do with any domain."""
        for _ in range(count):
            self.strangers.append(subprocess.Popen(["sleep", "infinity"]))

    def end_others(self):
        for guest in self.others:
            self.depart(guest)
        self.others = []
        for stranger in self.strangers:
            stranger.kill()
            stranger.wait()
        self.strangers = []
