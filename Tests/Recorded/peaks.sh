#!/bin/bash
# Attacks the memory of the host: the longest and the most deeply nested text of each kind that is read, and
# hosts with more of everything than there is. None takes more than 64 MiB; the peak of each kind is printed.
#
# usage: Tests/Recorded/peaks.sh BERTH
# shellcheck source=Tests/words.sh
# Of tens of thousands of small files, which a busy disk takes minutes for.
export TMPDIR=/dev/shm
source "$(dirname "$0")/../words.sh"

"$berth" recorded unpack "$hosts/two-node-workstation.host" "$root"
exec python3 - "$berth" "$hosts" "$stage" "$root" <<'PYTHON'
import os, resource, shutil, subprocess, sys, zlib

berth, hosts, stage, root = sys.argv[1:]
MOST = 64 << 20
XML, CONF, POLICY = 2 << 20, 1 << 20, 1 << 20
GAMING = f"{hosts}/gaming.xml"
UUID = "00000000-1111-2222-3333-444444444444"


def peak_of(arguments, before=()):
    """How a call ended, and the most memory it had in KiB; the limit is that of a hook.

    A small process starts it, as a child's peak counts from before its exec(2). `before` is a command that runs
    another one."""
    words = f"ulimit -c 0; ulimit -d {MOST >> 10}; exec \"$@\""
    child = (
        "import os, sys; number = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ); "
        "_, status, used = os.wait4(number, 0); print(os.waitstatus_to_exitcode(status), used.ru_maxrss)")
    done = subprocess.run(
        [sys.executable, "-c", child, *before, "bash", "-c", words, "x", berth, *arguments], text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)
    status, peak = done.stdout.splitlines()[-1].split()
    return int(status), int(peak)


class Kind:
    """The worst of a kind, which is printed."""

    def __init__(self, name):
        self.name, self.peak, self.worst, self.faults = name, 0, "", []

    def tries(self, title, *arguments, before=()):
        try:
            status, peak = peak_of(arguments, before)
        except subprocess.TimeoutExpired:
            status, peak = "no status within two minutes", 0
        if not isinstance(status, int) or not 0 <= status <= 2:
            self.faults.append(f"{title} ended with {status}")
        if peak << 10 > MOST:
            self.faults.append(f"{title} took {peak >> 10} MiB")
        if peak > self.peak:
            self.peak, self.worst = peak, title

    def tells(self):
        line = f"the memory of the host by {self.name} → {self.peak / 1024:.0f} MiB at most ({self.worst})"
        print(f"FAIL {line}: {'; '.join(self.faults)}" if self.faults else f"ok {line}", flush=True)


def filled(size, before, unit, after):
    """A text of nearly that size, of as many units as fit, in which `#` is their number; `##` is one."""
    parts, left = [before], size - len(before) - len(after) - 100
    while left > 0:
        part = "#\n" if unit == "##\n" else unit.replace("#", str(len(parts) - 1))
        left -= len(part)
        parts.append(part)
    return "".join(parts[:-1] if len(parts) > 1 else parts) + after


def written(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


# --- what describes a VM --------------------------------------------------------------------------

def domain(inside, vcpus=2):
    return (f"<domain type='kvm'><name>x</name><uuid>{UUID}</uuid><memory unit='MiB'>4096</memory>"
            f"<vcpu>{vcpus}</vcpu>{inside}</domain>")


def xmls():
    def of(before, unit, after, vcpus=2):
        start, end = domain("\1", vcpus).split("\1")
        return filled(XML, start + before, unit, after + end)
    own = "<metadata><b:domain xmlns:b='urn:berth:domain:1'>"
    yield "blanks", of("", " ", "")
    yield "a name", domain("").replace("<name>x", "<name>" + "x" * (XML - 400))
    yield "elements", of("<cputune>", "<a/>", "</cputune>")
    yield "elements with an attribute", of("<cputune>", "<a b=''/>", "</cputune>")
    yield "elements of one attribute's name each", of("<cputune>", "<a b#=''/>", "</cputune>")
    yield "attributes of one element", of("<cputune><a ", "a#='' ", "/></cputune>")
    yield "elements that nobody reads", of("", "<a/>", "")
    yield "elements of a name each", of("", "<a#/>", "")
    yield "attributes that nobody reads", of("<a ", "a#='' ", "/>")
    yield "namespaces", of("", "<c xmlns:a#='u#'/>", "")
    yield "metadata of others", of("<metadata>", "<a>b</a>", "</metadata>")
    yield "wishes", of(own, "<b:a/>", "</b:domain></metadata>")
    yield "wishes in each other", of(own, "<b:a><b:a>x</b:a></b:a>", "</b:domain></metadata>")
    yield "a wish", of(f"{own}<b:isolation>", "&#10;", "</b:isolation></b:domain></metadata>")
    yield "disks", of("<devices>", "<disk/>", "</devices>")
    yield "disks of NVMe", of(
        "<devices>", "<disk type='nvme'><source><address bus='#'/></source></disk>", "</devices>")
    yield "functions", of(
        "<devices>", "<hostdev type='pci'><source><address bus='0x41'/></source></hostdev>", "</devices>")
    yield "memory devices", of(
        "<devices>", "<memory model='dimm'><target><size>1</size></target></memory>", "</devices>")
    yield "cells", of("<cpu><numa>", "<cell id='#' memory='1'/>", "</numa></cpu>")
    yield "pins", of("<cputune>", "<vcpupin vcpu='#' cpuset='0-16383'/>", "</cputune>", 16384)
    yield "pins of iothreads", of(
        "<iothreads>16384</iothreads><cputune>", "<iothreadpin iothread='#' cpuset='0-16383'/>", "</cputune>")
    yield "a list of CPUs", of("<cputune><vcpupin vcpu='0' cpuset='", "1,", "1'/></cputune>")
    yield "sizes of pages", of(
        "<memoryBacking><hugepages>", "<page size='2048' nodeset='0'/>", "</hugepages></memoryBacking>")
    yield "text in an element", of("<cputune>", "\n", "</cputune>")
    yield "a comment", of("<!--", "x", "-->")


def confs():
    base = "name: a\ncores: 2\nmemory: 2048\n"
    for title, before, unit in [
            ("comments", "", "##\n"), ("lines that are none", "", "#\n"), ("keys", "", "a#: 1\n"), ("a key", "", "cores: 2\n"),
            ("sections", "", "[s#]\n"), ("functions", "hostpci0: ", "0000:41:00.0;"),
            ("CPUs", "affinity: ", "1,"), ("cells", "numa: 1\n", "numa#: cpus=0,memory=1\n"),
            ("options of a key", "numa0: ", "a#=1,"), ("empty options", "net0: ", ","),
            ("a description", "description: ", "%0A")]:
        yield title, filled(CONF, base + before, unit, "\n")


def policies():
    for title, before, unit, after in [
            ("comments", "", "##\n", ""), ("lines that are none", "", "#\n", ""), ("sections", "", "[vm.a#]\n", ""), ("profiles", "", "[profile.a#]\n", ""),
            ("sections with a key", "", '[vm."x*#"]\nisolation="none"\n', ""), ("unknown keys", "", "a#=1\n", ""),
            ("unknown keys of a VM", "[vm.x]\n", "a#=1\n", ""), ("dotted keys", "", "a#.b.c=1\n", ""),
            ("arrays of tables", "", "[[a]]\n", ""), ("numbers", "[vm.x]\npci.bind=[", "1,", "]"),
            ("arrays", "[vm.x]\npci.bind=[", "[],", "]"), ("tables", "[vm.x]\npci.bind=[", "{},", "]"),
            ("functions", "[vm.x]\npci.bind=[", '"0000:41:00.0",', "]"),
            ("settings", "[vm.x]\nsettings=[", '{path="/sys/a#",value="1"},', "]"),
            ("commands", "[vm.x]\ncommands=[", '{run=["/a"]},', "]"),
            ("services", "[vm.x]\nservices.stop=[", '"a#.service",', "]"),
            ("pins", "[vm.x]\npins.vcpus=[", '"1",', "]"), ("an inline table", "a={", "a#=1,", "b=1}"),
            ("a glob", '[vm."', "*a", '"]\n'), ("no TOML", "[[[\n", "[vm.a#]\n", ""),
            ("depth", "", "[", "")]:
        yield title, filled(POLICY, before, unit, after)


kind = Kind("a domain's XML")
for title, text in xmls():
    kind.tries(title, "plan", "--libvirt", written(f"{stage}/vm.xml", text), "--root", root)
kind.tells()

kind = Kind("a configuration of Proxmox's")
for title, text in confs():
    kind.tries(title, "plan", "--proxmox", written(f"{stage}/pve/101.conf", text), "--root", root)
kind.tells()

kind = Kind("a policy file")
written(f"{stage}/vm.xml", domain(""))
for title, text in policies():
    written(f"{root}/etc/berth/berth.toml", text)
    kind.tries(title, "plan", "--libvirt", f"{stage}/vm.xml", "--root", root)
os.unlink(f"{root}/etc/berth/berth.toml")
kind.tells()

# --- what users mount -----------------------------------------------------------------------------

IN_PLACE = 'mount --bind "$1" /sys && mount --bind "$2" /proc/1/mountinfo && shift 2 && exec "$@"'
if os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode == 0:
    kind = Kind("a table of mounts")
    hostdev = ("<devices><hostdev mode='subsystem' type='pci'><source><address bus='0x43'/></source></hostdev>"
               "</devices>")
    written(f"{stage}/vm.xml", domain(hostdev))
    for title, size in ("one that is read", 32 << 20), ("a longer one", 48 << 20):
        line = f"36 28 0:50 / /home/u/{chr(92)}134{'x' * 8000} rw - fuse.x x rw\n"
        table = written(f"{stage}/mounts", (line * (size // len(line) + 1))[:size - 1])
        inside = ["unshare", "-m", "bash", "-c", IN_PLACE, "x", f"{root}/sys", table]
        kind.tries(title, "plan", "--libvirt", f"{stage}/vm.xml", before=inside)
    kind.tells()

# --- what stands on the host ----------------------------------------------------------------------

COUNT = 4_000
task_line = "{0} ({1}) S 1 0 0 0 0 {2} " + "0 " * 10 + "1 0 1000 " + "0 " * 30 + "\n"


def add_task(tree, number, name, flags=0x400040, below="", group="user.slice"):
    folder = f"{tree}/proc/{below or number}" + (f"/task/{number}" if below else "")
    os.makedirs(folder)
    for file, text in [
            ("stat", task_line.format(number, name, flags)), ("comm", name + "\n"), ("cmdline", "x\0"),
            ("status", f"Name:\t{name}\nPid:\t{number}\nCpus_allowed_list:\t0-3\n"), ("cgroup", f"0::/{group}\n")]:
        written(f"{folder}/{file}", text)


def add_group(tree, path):
    written(f"{tree}/sys/fs/cgroup/{path}/cgroup.procs", "")
    written(f"{tree}/sys/fs/cgroup/{path}/cpuset.cpus", "\n")


def add_interrupt(tree, number):
    os.makedirs(f"{tree}/proc/irq/{number}/device-{number}")
    written(f"{tree}/proc/irq/{number}/smp_affinity_list", "0-15\n")


def lives_on(name, add):
    """A whole life of a VM on a host that is spoiled before, and what administrators ask of it."""
    tree, kind = f"{stage}/spoiled", Kind(name)
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(root, tree, symlinks=True)
    for number in range(COUNT):
        add(tree, number)
    of_gaming = ["--libvirt", GAMING, "--root", tree]
    kind.tries("plan", "plan", *of_gaming)
    kind.tries("prepare", "replay", "gaming", "prepare", *of_gaming)
    subprocess.run([berth, "recorded", "enter", f"{hosts}/two-node-workstation.gaming.host", tree], check=True)
    for step in "started", "reconnect", "release":
        kind.tries(step, "replay", "gaming", step, *of_gaming)
    for command in "status", "doctor", "topology", "metrics", "reconcile":
        kind.tries(command, command, "--root", tree)
    shutil.rmtree(tree)
    kind.tells()


lives_on(f"{COUNT} processes", lambda tree, n: add_task(tree, 100_000 + n, "evil"))
lives_on(f"{COUNT} threads of the kernel", lambda tree, n: add_task(tree, 100_000 + n, "vhost-4242", 0x200040))
lives_on(f"{COUNT} threads of a QEMU", lambda tree, n: add_task(tree, 100_000 + n, "worker", below="4242"))
lives_on(f"{COUNT} groups", lambda tree, n: add_group(tree, f"lxc.{n}"))
lives_on(f"{COUNT} interrupts", lambda tree, n: add_interrupt(tree, 1000 + n))


def sealed(lines, entries):
    head = b"".join(line + b"\n" for line in lines + [b"entries %d 0" % len(entries)])
    body = b"head %d %x\n" % (head.count(b"\n"), zlib.crc32(head))
    body += b"claim 0 without-cpus 5-7 0-4,8-12 - reason\n" + b"".join(line + b"\n" for line in entries)
    return head + body + b"end %d %x\n" % ((head + body).count(b"\n"), zlib.crc32(body, zlib.crc32(head)))


kind = Kind("a ledger")
subprocess.run([berth, "replay", "gaming", "prepare", "--libvirt", GAMING, "--root", root], capture_output=True)
subprocess.run([berth, "recorded", "enter", f"{hosts}/two-node-workstation.gaming.host", root], check=True)
with open(f"{root}/run/berth/ledger", "rb") as file:
    start = file.read().split(b"\n")[:3]
line = b"entry attribute cpulist /proc/irq/%d/smp_affinity_list cpus 0-15 cpus 0-4,8-12 - - - - - rtc0 0"
for count in 20_000, 40_000:
    written(f"{root}/run/berth/ledger", sealed(start, [line % (1000 + number) for number in range(count)]))
    for phase in "started", "reconnect", "release":
        kind.tries(f"{phase} with {count} settings", "replay", "gaming", phase, "--libvirt", GAMING, "--root", root)
kind.tells()
PYTHON
