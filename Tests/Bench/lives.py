"""What is played: a domain's phases as its hypervisor calls them, and a stand-in for its QEMU."""

import os
import subprocess
import time
from typing import NamedTuple

from measures import text_of

HERE = os.path.dirname(os.path.abspath(__file__))
POOL = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB"
PAGES = 64


class Domain(NamedTuple):
    """`vmid` is Proxmox's number; without one the domain is libvirt's. `pin` is the CPU that libvirt
    itself pins vCPU 0 to."""
    name: str
    vcpus: int = 2
    pages: int = PAGES
    vmid: int = 0
    pin: int = None

    @property
    def pid_file(self):
        if self.vmid:
            return f"/run/qemu-server/{self.vmid}.pid"
        return f"/run/libvirt/qemu/{self.name}.pid"

    @property
    def xml(self):
        """bench.xml is the domain that asks for something, plain.xml the one that does not."""
        text = text_of(f"{HERE}/{'bench' if self.pages else 'plain'}.xml")
        kib = str((self.pages or PAGES) * 2048)
        tune = f"<cputune><vcpupin vcpu='0' cpuset='{self.pin}'/></cputune>" if self.pin else ""
        number = sum(ord(c) * 31 ** i for i, c in enumerate(self.name)) % 16 ** 12
        for old, new in [("<name>bench<", f"<name>{self.name}<"), ("<name>plain<", f"<name>{self.name}<"),
                         ("131072", kib), ("static'>2<", f"static'>{self.vcpus}<"),
                         ("6b1d3f7a2c90<", f"{number:012x}<"), ("<os>", f"{tune}<os>")]:
            text = text.replace(old, new)
        return text

    @property
    def conf(self):
        return (
            f"name: {self.name}\nsockets: 1\ncores: {self.vcpus}\nmemory: {self.pages * 2}\n"
            f"hugepages: 2\nnuma: 1\n"
            f"numa0: cpus=0-{self.vcpus - 1},hostnodes=0,memory={self.pages * 2},policy=bind\n"
            f"scsihw: virtio-scsi-single\nscsi0: local:{self.vmid}/disk.raw,iothread=1\n"
            "hookscript: local:snippets/berth\n")


class Step(NamedTuple):
    """One call; `title` is how it is shown, `words` are what comes after the domain's name or number,
    and none of them stand for the command `status`."""
    title: str
    domain: Domain
    words: tuple


class Life(NamedTuple):
    """A domain's phases in their order; its QEMU is there from before the step of index `arrives` until
    before that of `departs`."""
    name: str
    domain: Domain
    steps: list
    arrives: int
    departs: int


def libvirt_life(name, domain, beside=()):
    """`beside` has titles and phases of other domains, which come first."""
    steps = [*beside]
    for title, words in [
            ("`prepare`", ("prepare", "begin", "-")), ("`start`", ("start", "begin", "-")),
            ("`started`", ("started", "begin", "-")), ("`berth status`", ()),
            ("`stopped`", ("stopped", "end", "-")), ("`release`", ("release", "end", "-"))]:
        steps.append(Step(title, domain, words))
    return Life(name, domain, steps, len(steps) - 4, len(steps) - 2)


BENCH, PLAIN = Domain("bench"), Domain("plain", pages=0)
NOTHING = Step("`prepare` of a VM that asks for nothing", PLAIN, ("prepare", "begin", "-"))
IGNORED = Step("an operation that it has no part in", BENCH, ("migrate", "begin", "-"))
PINNED = libvirt_life("pinned", BENCH, [IGNORED, NOTHING])
BESIDE = libvirt_life("beside others", BENCH, [NOTHING])
ISOLATED = libvirt_life("isolated", Domain("isolated", vcpus=1))
SLICES = ISOLATED._replace(name="isolated by slices")
PROXMOX_DOMAIN = Domain("proxmox", vmid=100)
PROXMOX = Life(
    "Proxmox", PROXMOX_DOMAIN,
    [Step(f"`{phase}`", PROXMOX_DOMAIN, (phase,))
     for phase in ("pre-start", "post-start", "pre-stop", "post-stop")], 1, 3)


class Guest:
    """The stand-in for a domain's QEMU."""

    def __init__(self, work, domain, workers=1):
        self.domain = domain
        command = [
            f"{work}/qemu-system-x86_64", "-name", f"guest={domain.name},debug-threads=on",
            "-smp", str(domain.vcpus), "-workers", str(workers), "-pidfile", domain.pid_file]
        if domain.vmid:
            command += ["-qmp", f"/run/qemu-server/{domain.vmid}.qmp"]
        self.process = subprocess.Popen(command)
        while not (os.path.exists(domain.pid_file) and text_of(domain.pid_file)):
            assert self.process.poll() is None, "the stand-in for QEMU has ended"
            time.sleep(0.001)

    def threads(self):
        """The number and the name of each."""
        tasks = f"/proc/{self.process.pid}/task"
        return [
            (int(tid), text_of(f"{tasks}/{tid}/comm").strip()) for tid in sorted(os.listdir(tasks))]

    def check(self, last):
        """Whether each thread is where policy.toml wants it."""
        for tid, name in self.threads():
            cpu = last if name.startswith(("CPU ", "IO ")) else 0
            policy = os.sched_getscheduler(tid) & ~os.SCHED_RESET_ON_FORK
            wanted = os.SCHED_FIFO if name.startswith("CPU ") else os.SCHED_OTHER
            assert os.sched_getaffinity(tid) == {cpu}, f"{name} is on {os.sched_getaffinity(tid)}"
            assert policy == wanted, f"{name} has policy {policy}"

    def end(self):
        self.process.kill()
        self.process.wait()
        os.unlink(self.domain.pid_file)


class Host:
    """The machine itself, as its kernel has it."""

    last = os.cpu_count() - 1

    def __init__(self, work):
        self.work = work

    def pages(self):
        return int(text_of(f"{POOL}/nr_hugepages"))

    def settle(self, guest):
        """What a kernel does by itself once a call is over."""

    def arrive(self, domain):
        return Guest(self.work, domain)

    def depart(self, guest):
        guest.end()

    def check(self, guest):
        """Whether a domain that runs is as policy wants it."""
        guest.check(self.last)

    def command(self, program, step):
        if not step.words:
            return [program, "status"]
        return [program, str(step.domain.vmid or step.domain.name), *step.words]

    def description(self, domain):
        """The file that has a domain's XML."""
        path = f"{self.work}/{domain.name}.xml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(domain.xml)
        return path

    def play(self, step, program, call):
        """Runs a step's command by `call`, and returns what that tells."""
        with open(self.description(step.domain), "rb") as xml:
            return call(self.command(program, step), xml)

    def live(self, life, program, call):
        """One life, in which each phase has to do its work; returns what is told of each step."""
        before, had_ledger = self.pages(), os.path.exists("/run/berth/ledger")
        guest = None
        results = []
        for index, step in enumerate(life.steps):
            if index == life.arrives:
                guest = self.arrive(life.domain)
                self.settle(guest)
            if index == life.departs:
                self.depart(guest)
                self.settle(None)
            results.append(self.play(step, program, call))
            self.settle(guest if index < life.departs else None)
            if index == life.arrives - 1:
                pages = self.pages()
                assert pages == before + life.domain.pages, f"{program}: {pages} pages after {before}"
            if index == life.arrives:
                self.check(guest)
        assert self.pages() == before, f"{program} left {self.pages()} pages after {before}"
        assert os.path.exists("/run/berth/ledger") == had_ledger, "the ledger is not as it was"
        return results
