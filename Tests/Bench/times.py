"""Plays lives of the benchmark's domain with Berth and with the floors, and prints what they cost.

Called by `run`, in a mount namespace whose /run and /etc are the benchmark's own; only systemd's folder
of /run is the machine's, where systemd answers.
"""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True

from lives import PAGES, PINNED, POOL, Domain, Guest, Host, Step
from measures import Tools, have, median, say, table, text_of

WORK, BERTH = sys.argv[1:3]
RUNS = int(sys.argv[3])
TOOLS = Tools(WORK)
HOST = Host(WORK)
BEFORE = HOST.pages()
POOL_FILE = f"{POOL}/nr_hugepages"


def machine():
    model = re.search(r"model name\s*: (.*)", text_of("/proc/cpuinfo"))
    system = re.search(r'PRETTY_NAME="(.*)"', text_of("/etc/os-release"))
    virtual = " (virtual)" if "hypervisor" in text_of("/proc/cpuinfo") else ""
    return (
        f"{os.cpu_count()} CPUs{virtual}, {model.group(1) if model else os.uname().machine}; "
        f"{system.group(1) if system else '?'}; kernel {os.uname().release}; "
        f"load while measuring {os.getloadavg()[0]:.1f}")


def phases(floors):
    """`floors` are the names of their programs."""
    programs = [BERTH, *(f"{WORK}/{floor}" for floor in floors)]
    lives = {program: [] for program in programs}
    for number in range(RUNS + 2):
        say(f"life {number + 1} of {RUNS + 2}")
        for program in programs:
            result = HOST.live(PINNED, program, TOOLS.measured)
            if number >= 2:  # the first two warm the caches
                lives[program].append(result)
    say("system calls")
    calls = {program: HOST.live(PINNED, program, TOOLS.traced) for program in programs}
    instructions = {}
    if have("valgrind"):
        say("instructions")
        instructions = {program: HOST.live(PINNED, program, TOOLS.counted) for program in programs}

    rows = []
    for index, step in enumerate(PINNED.steps):
        berth, *least = ([one[index] for one in lives[program]] for program in programs)
        berth_calls, *floor_calls = (calls[program][index] for program in programs)
        row = [step.title, f"{median(berth, 0) / 1000:.2f}"]
        for floor in least:
            wall = median(floor, 0)
            row += [f"{wall / 1000:.2f}", f"{median(berth, 0) / wall:.1f}"]
        row += [f"{median(each, 1) / 1000:.2f}" for each in (berth, *least)]
        row += [f"{berth_calls.all} ({berth_calls.loading or '–'})"]
        row += [str(each.all) for each in floor_calls]
        row += [str(berth_calls.processes), f"{median(berth, 2) / 1024:.1f}"]
        for counts in instructions.values():
            row.append("–" if counts[index] is None else f"{counts[index] / 1e6:.2f}")
        rows.append(row)
    header = ["phase", "Berth ms"]
    for floor in floors:
        header += [f"{floor} ms", "×"]
    header += ["Berth CPU ms", *(f"{floor} CPU ms" for floor in floors)]
    header += ["calls (loading)", *(f"{floor} calls" for floor in floors), "processes", "peak MiB"]
    if instructions:
        header += ["M instr.", *floors]
    table(header, rows)


def forget_files():
    """Nothing of any file is in memory that no process has mapped."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")


def cold():
    """Each phase with nothing of the program's file in memory: the first start after a while."""
    def measured(command, xml):
        forget_files()
        return TOOLS.measured(command, xml)

    programs = (BERTH, f"{WORK}/floor")
    lives = {program: [] for program in programs}
    for number in range(max(3, RUNS // 4)):
        say(f"cold life {number + 1}")
        for program in programs:
            lives[program].append(HOST.live(PINNED, program, measured))
    rows = []
    for index, step in enumerate(PINNED.steps):
        berth, floor = ([one[index] for one in lives[program]] for program in programs)
        rows.append([
            step.title, f"{median(berth, 0) / 1000:.1f}", f"{median(floor, 0) / 1000:.1f}",
            f"{median(berth, 4):.0f}", f"{median(floor, 4):.0f}"])
    table(["phase, cold", "Berth ms", "floor ms", "faults with input", "floor's"], rows)


def play_at_once(domains, words):
    """The wall time in us of the slowest, and how many of them were refused."""
    running = []
    for domain in domains:
        report = f"{WORK}/report-{domain.name}"
        command = [f"{WORK}/measure", report, *HOST.command(BERTH, Step("", domain, words))]
        with open(HOST.description(domain), "rb") as xml:
            running.append((report, subprocess.Popen(command, stdin=xml, stderr=subprocess.DEVNULL)))
    refused = sum(process.wait() != 0 for _, process in running)
    times = [int(text_of(report).split()[0]) for report, _ in running]
    for report, _ in running:
        os.unlink(report)
    return max(times), refused


def at_once():
    """Two domains at the same moment: neither may wait longer than for the other's own work."""
    pair = [Domain("bench"), Domain("rival")]
    steps = [("prepare", "begin", "-"), ("release", "end", "-")]
    lives = {1: [], 2: []}
    for number in range(RUNS):
        say(f"two at once, {number + 1} of {RUNS}")
        for count, results in lives.items():
            results.append([play_at_once(pair[:count], step) for step in steps])
            assert HOST.pages() == BEFORE, f"{count} at once left pages"
    rows = []
    for index, step in enumerate(steps):
        one, two = (
            median([life[index] for life in lives[count] if life[index][1] == 0], 0) / 1000
            for count in lives)
        refused = sum(life[index][1] for life in lives[2])
        rows.append([
            f"`{step[0]}`", f"{one:.2f}", f"{two:.2f}", f"{two / one:.1f}", f"{refused} of {RUNS * 2}"])
    table(["phase", "one ms", "the slower of two at once ms", "×", "refused"], rows)


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
    grow = (f"read n <{POOL_FILE}; echo $((n + {PAGES})) >{POOL_FILE}; read m <{POOL_FILE}; "
            f"[ $m = $((n + {PAGES})) ]")
    shrink = f"read n <{POOL_FILE}; echo $((n - {PAGES})) >{POOL_FILE}"
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
    guest = Guest(WORK, PINNED.domain)
    if os.path.exists(pin):
        last = HOST.last
        todo.append(
            ("`qemu-affinity`", "pins the same threads; no priorities, nothing is remembered",
             [[pin, "-p", "0", "-k", f"{last}", f"{last}", "-i", f"*:{last}",
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
        one = [TOOLS.measured(command) for command in commands]
        results.append(one[0])
    calls = [TOOLS.traced(command) for command in commands][0]
    return [
        title, what, f"{median(results, 0) / 1000:.2f}", f"{median(results, 1) / 1000:.2f}",
        str(calls.all), str(calls.processes), f"{median(results, 2) / 1024:.1f}"]


print(f"{machine()}; medians of {RUNS} lives each.\n")
phases(["floor", "floor-systemd"] if os.path.exists("/run/systemd/private") else ["floor"])
cold()
at_once()
others()
