"""What one command costs: by the clock, by its system calls, by its instructions."""

import collections
import os
import re
import statistics
import subprocess
import sys

# How often a program waits, or looks in vain, is the other side's doing.
WAITS = {"poll", "ppoll", "epoll_wait", "epoll_pwait", "select", "pselect6", "restart_syscall"}
READS = {"read", "pread64", "readv", "preadv", "recvfrom", "recvmsg"}
FORKS = {"fork", "vfork", "clone", "clone3"}


class Calls:
    """The system calls of a command and its children, from a trace of strace."""

    line = re.compile(r"^(?:\d+ +)?(?:<\.\.\. )?(\w+)(?:\(| resumed>)(.*)$")
    ledger = re.compile(r'["/]ledger"[,)]')

    def __init__(self, trace):
        self.names = collections.Counter()
        self.loading = self.processes = self.bytes_read = self.saves = 0
        for text in trace.splitlines():
            found = self.line.match(text)
            if not found or text.endswith("<unfinished ...>"):
                continue
            name, rest = found.groups()
            result = rest.rpartition(" = ")[2]
            if name in WAITS or "EAGAIN" in result:
                continue
            self.add(name, rest, result)

    def add(self, name, rest, result):
        # A hook's first call of its own is geteuid; a command has no such mark.
        if name == "geteuid" and self.loading == 0:
            self.loading = sum(self.names.values())
        self.names[name] += 1
        if name in FORKS and "CLONE_THREAD" not in rest:
            self.processes += 1
        if name in READS and result.split()[0].isdigit():
            self.bytes_read += int(result.split()[0])
        if name.startswith("rename") and self.ledger.search(rest):
            self.saves += 1

    @property
    def all(self):
        return sum(self.names.values())

    def by_name(self):
        return ", ".join(f"{name} {count}" for name, count in self.names.most_common())


class Tools:
    """Runs commands with what measures them, and keeps its files in the folder `work`."""

    def __init__(self, work, environment=None):
        self.work = work
        self.environment = environment
        self.keep = os.environ.get("BERTH_BENCH_TRACES")

    def run(self, command, stdin=subprocess.DEVNULL):
        done = subprocess.run(
            command, stdin=stdin, capture_output=True, check=False, env=self.environment)
        if done.returncode != 0:
            said = done.stderr.decode()
            sys.exit(f"{' '.join(command)} ended with {done.returncode}: {said}")
        return done

    def measured(self, command, stdin=subprocess.DEVNULL):
        """Wall time in us, CPU time in us, peak memory in KiB, page faults without and with input."""
        report = f"{self.work}/report"
        self.run([f"{self.work}/measure", report, *command], stdin)
        numbers = text_of(report).split()
        os.unlink(report)
        return [int(number) for number in numbers]

    def traced(self, command, stdin=subprocess.DEVNULL):
        trace = f"{self.work}/trace"
        self.run(["strace", "-f", "-qq", "-s", "0", "-e", "signal=none", "-o", trace, *command], stdin)
        calls = Calls(text_of(trace))
        if self.keep:
            os.makedirs(self.keep, exist_ok=True)
            name = re.sub(r"\W+", "-", " ".join([os.path.basename(command[0]), *command[1:]]))
            os.replace(trace, f"{self.keep}/{name}")
        return calls

    def counted(self, command, stdin=subprocess.DEVNULL):
        """Instructions in user space, which no other load changes; None where that cannot be told.

        Of a hook that works in a child, those of the child, which begin with its parent's."""
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
            stdin=stdin, capture_output=True, check=False, env=self.environment)
        found = re.findall(r"Collected : (\d+)", done.stderr.decode())
        return max(map(int, found)) if found and done.returncode == 0 else None


def say(text):
    print(text, file=sys.stderr, flush=True)


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def have(tool):
    return any(os.access(f"{path}/{tool}", os.X_OK) for path in os.environ["PATH"].split(":"))


def median(rows, column):
    return statistics.median(row[column] for row in rows)


def table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|---" + "|--:" * (len(header) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)
