"""Plays lives of the benchmark's domain with Berth and with the floor, and prints what they cost.

Called by `run`, in a mount namespace whose /run and /etc are the benchmark's own.
"""

import os
import re
import statistics
import subprocess
import sys
import time

HERE, WORK, BERTH = sys.argv[1:4]
RUNS = int(sys.argv[4])
FLOOR = f"{WORK}/floor"
POOL = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
PID_FILE = "/run/libvirt/qemu/bench.pid"
LAST = os.cpu_count() - 1
PAGES = 64

# Title, domain, what libvirt says after the domain's name; None stands for the command `status`.
PHASES = [
    ("an operation that it has no part in", "bench", ["migrate", "begin", "-"]),
    ("`prepare` of a VM that asks for nothing", "plain", ["prepare", "begin", "-"]),
    ("`prepare`", "bench", ["prepare", "begin", "-"]),
    ("`start`", "bench", ["start", "begin", "-"]),
    ("`started`", "bench", ["started", "begin", "-"]),
    ("`berth status`", "bench", None),
    ("`stopped`", "bench", ["stopped", "end", "-"]),
    ("`release`", "bench", ["release", "end", "-"]),
]


def say(text):
    print(text, file=sys.stderr, flush=True)


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def pages():
    return int(text_of(POOL))


class Guest:
    """The stand-in for QEMU."""

    def __init__(self):
        self.process = subprocess.Popen(
            [f"{WORK}/qemu-system-x86_64", "-name", "guest=bench,debug-threads=on", PID_FILE])
        while not (os.path.exists(PID_FILE) and text_of(PID_FILE)):
            time.sleep(0.001)

    def check(self):
        """Whether each thread is where the policy wants it."""
        for tid in map(int, os.listdir(f"/proc/{self.process.pid}/task")):
            name = text_of(f"/proc/{self.process.pid}/task/{tid}/comm").strip()
            cpu = LAST if name.startswith(("CPU ", "IO ")) else 0
            policy = os.sched_getscheduler(tid) & ~os.SCHED_RESET_ON_FORK
            wanted = os.SCHED_FIFO if name.startswith("CPU ") else os.SCHED_OTHER
            assert os.sched_getaffinity(tid) == {cpu}, f"{name} is on {os.sched_getaffinity(tid)}"
            assert policy == wanted, f"{name} has policy {policy}"

    def end(self):
        self.process.kill()
        self.process.wait()
        os.unlink(PID_FILE)


def life(program, call):
    """One life; `call` runs a phase's command and returns what is kept of it."""
    before = pages()
    guest = None
    results = []
    for title, domain, arguments in PHASES:
        if title == "`started`":
            guest = Guest()
        if title == "`stopped`":
            guest.end()
        command = [program, "status"] if arguments is None else [program, domain, *arguments]
        with open(f"{HERE}/{domain}.xml", "rb") as xml:
            results.append(call(command, xml))
        if title == "`prepare`":
            assert pages() == before + PAGES, f"{program}: {pages()} pages after {before}"
        if title == "`started`":
            guest.check()
    assert pages() == before, f"{program} left {pages()} pages after {before}"
    assert not os.path.exists("/run/berth/ledger"), "the ledger is still there"
    return results


def measured(command, stdin=subprocess.DEVNULL):
    """Wall time in us, CPU time in us, peak memory in KiB."""
    report = f"{WORK}/report"
    done = subprocess.run(
        [f"{WORK}/measure", report, *command], stdin=stdin, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode()}")
    numbers = text_of(report).split()
    os.unlink(report)
    return [int(number) for number in numbers]


def traced(command, stdin=subprocess.DEVNULL):
    """System calls, those of them before the program's own code, and processes started."""
    trace = f"{WORK}/trace"
    subprocess.run(
        ["strace", "-f", "-qq", "-e", "signal=none", "-o", trace, *command],
        stdin=stdin, capture_output=True, check=True)
    calls = re.findall(r"^(?:\d+ +)?(\w+)\((.*)", text_of(trace), re.MULTILINE)
    names = [name for name, _ in calls]
    forks = sum(
        name in ("fork", "vfork", "clone", "clone3") and "CLONE_THREAD" not in rest
        for name, rest in calls)
    # A hook's first call of its own is geteuid; a command has no such mark.
    first = names.index("geteuid") if "geteuid" in names else 0
    keep = os.environ.get("BERTH_BENCH_TRACES")
    if keep:
        os.makedirs(keep, exist_ok=True)
        name = re.sub(r"\W+", "-", " ".join([os.path.basename(command[0]), *command[1:]]))
        os.replace(trace, f"{keep}/{name}")
    return [len(names), first, forks]


def counted(command, stdin=subprocess.DEVNULL):
    """Instructions in user space, which no other load changes."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
        stdin=stdin, capture_output=True, check=False)
    found = re.findall(r"Collected : (\d+)", done.stderr.decode())
    return int(found[-1]) if found else None


def have(tool):
    return any(os.access(f"{path}/{tool}", os.X_OK) for path in os.environ["PATH"].split(":"))


def median(rows, column):
    return statistics.median(row[column] for row in rows)


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|---" + "|--:" * (len(header) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def machine():
    model = re.search(r"model name\s*: (.*)", text_of("/proc/cpuinfo"))
    system = re.search(r'PRETTY_NAME="(.*)"', text_of("/etc/os-release"))
    virtual = " (virtual)" if "hypervisor" in text_of("/proc/cpuinfo") else ""
    return (
        f"{os.cpu_count()} CPUs{virtual}, {model.group(1) if model else os.uname().machine}; "
        f"{system.group(1) if system else '?'}; kernel {os.uname().release}; "
        f"load while measuring {os.getloadavg()[0]:.1f}")


def phases():
    lives = {BERTH: [], FLOOR: []}
    for number in range(RUNS + 2):
        say(f"life {number + 1} of {RUNS + 2}")
        for program in lives:
            result = life(program, measured)
            if number >= 2:  # the first two warm the caches
                lives[program].append(result)
    say("system calls")
    calls = {program: life(program, traced) for program in lives}
    instructions = {}
    if have("valgrind"):
        say("instructions")
        instructions = {program: life(program, counted) for program in lives}

    rows = []
    for index, (title, _, _) in enumerate(PHASES):
        berth, floor = ([one[index] for one in lives[p]] for p in (BERTH, FLOOR))
        wall, least = median(berth, 0), median(floor, 0)
        row = [
            title, f"{wall / 1000:.2f}", f"{least / 1000:.2f}", f"{wall / least:.1f}",
            f"{median(berth, 1) / 1000:.2f}", f"{median(floor, 1) / 1000:.2f}",
            f"{calls[BERTH][index][0]} ({calls[BERTH][index][1] or '–'})",
            f"{calls[FLOOR][index][0]}",
            f"{calls[BERTH][index][2]}", f"{median(berth, 2) / 1024:.1f}"]
        if instructions:
            row += [f"{instructions[p][index] / 1e6:.2f}" for p in (BERTH, FLOOR)]
        rows.append(row)
    header = [
        "phase", "Berth ms", "floor ms", "×", "Berth CPU ms", "floor CPU ms",
        "calls (loading)", "floor calls", "processes", "peak MiB"]
    if instructions:
        header += ["M instr.", "floor"]
    table(header, rows)


def free_function():
    """A PCI function that no driver has and no override waits for."""
    bus = "/sys/bus/pci/devices"
    for name in sorted(os.listdir(bus) if os.path.isdir(bus) else []):
        override = f"{bus}/{name}/driver_override"
        if os.path.exists(override) and not os.path.exists(f"{bus}/{name}/driver"):
            if text_of(override).strip() == "(null)":
                return name
    return None


def others():
    """What other programs cost, each with what it did."""
    grow = (f"read n <{POOL}; echo $((n + {PAGES})) >{POOL}; read m <{POOL}; "
            f"[ $m = $((n + {PAGES})) ]")
    shrink = f"read n <{POOL}; echo $((n - {PAGES})) >{POOL}"
    todo = [
        ("`/bin/true`", "nothing", [["/bin/true"]]),
        ("`bash -c :`", "nothing", [["bash", "-c", ":"]]),
        ("`python3 -c pass`", "nothing", [["/usr/bin/python3", "-c", "pass"]]),
        ("bash, 64 pages", "raises `nr_hugepages` and reads it back; remembers nothing",
         [["bash", "-c", grow], ["bash", "-c", shrink]]),
        ("`berth --help`", "prints its help", [[BERTH, "--help"]]),
    ]
    vfio = f"{WORK}/venv/bin/vfio-isolate"
    if os.path.exists(vfio):
        todo.append(("`vfio-isolate --help`", "prints its help", [[vfio, "--help"]]))
    pin = f"{WORK}/venv/bin/qemu-affinity"
    guest = Guest()
    if os.path.exists(pin):
        todo.append(
            ("`qemu-affinity`", "pins the same threads; no priorities, nothing is remembered",
             [[pin, "-p", "0", "-k", f"{LAST}", f"{LAST}", "-i", f"*:{LAST}",
               "--", str(guest.process.pid)]]))
    driverctl = f"{WORK}/driverctl/usr/sbin/driverctl"
    function = free_function()
    if os.path.exists(driverctl):
        todo.append(("`driverctl list-devices`", "lists the PCI functions",
                     [["bash", driverctl, "list-devices"]]))
        if function:
            quiet = ["bash", driverctl, "--noprobe", "--nosave"]
            todo.append(
                ("`driverctl set-override`", "writes one `driver_override`, without a probe",
                 [[*quiet, "set-override", function, "none"],
                  [*quiet, "unset-override", function]]))
    rows = []
    for title, what, commands in todo:
        say(title)
        try:
            rows.append(other(title, what, commands))
        except (SystemExit, subprocess.CalledProcessError) as error:
            say(f"left out: {error}")
    guest.end()
    table(["program", "what it did", "ms", "CPU ms", "calls", "processes", "peak MiB"], rows)


def other(title, what, commands):
    """Measures the first of the commands; the second one undoes it."""
    results = []
    for _ in range(RUNS):
        one = [measured(command) for command in commands]
        results.append(one[0])
    calls = [traced(command) for command in commands][0]
    return [
        title, what, f"{median(results, 0) / 1000:.2f}", f"{median(results, 1) / 1000:.2f}",
        str(calls[0]), str(calls[2]), f"{median(results, 2) / 1024:.1f}"]


print(f"{machine()}; medians of {RUNS} lives each.\n")
phases()
others()
