"""What a phase costs on hosts that are made up, and how that grows with them.

Called by `run`. Prints CPU time only: systemd's stand-in is slower than systemd, and files in memory
are faster than sysfs, but neither's time is the hook's.
"""

import sys

sys.dont_write_bytecode = True

import made
from host import Shape
from lives import BENCH, BESIDE, ISOLATED, PINNED, PROXMOX
from measures import Tools, median, say, table


class Machine:
    """A made host with systemd's stand-in and the programs; each covers the one before it."""

    def __init__(self, work, binary, **shape):
        self.host = made.MadeHost(work, randomized=True, **shape)
        self.manager = self.host.start_systemd()
        self.tools = Tools(work)
        self.berth = self.host.install(binary)
        self.floor = self.host.install(f"{work}/floor-systemd")

    def cpu_ms(self, life, program, runs):
        """The median of each step."""
        self.host.live(life, program, self.tools.measured)
        lives = [self.host.live(life, program, self.tools.measured) for _ in range(runs)]
        return [median([one[step] for one in lives], 1) / 1000 for step in range(len(life.steps))]

    def calls(self, life, program):
        def traced(command, xml):
            asked = self.manager.calls
            calls = self.tools.traced(command, xml)
            calls.bus = self.manager.calls - asked
            return calls
        return self.host.live(life, program, traced)

    def end(self):
        self.host.end_others()


def lives(work, binary, runs):
    rows = []
    machine = Machine(work, binary)
    for life in (PINNED, ISOLATED, PROXMOX):
        say(f"{life.name} on a made host")
        times, calls = machine.cpu_ms(life, machine.berth, runs), machine.calls(life, machine.berth)
        floor = machine.cpu_ms(life, machine.floor, runs) if life is PINNED else None
        for index, step in enumerate(life.steps):
            row = [life.name, step.title, f"{times[index]:.2f}"]
            row += [f"{floor[index]:.2f}", f"{times[index] / floor[index]:.1f}"] if floor else ["–"] * 2
            each = calls[index]
            rows.append([*row, *map(str, (each.all, each.bytes_read, each.saves, each.bus))])
    table(["life", "phase", "Berth CPU ms", "floor CPU ms", "×", "calls", "bytes read", "saves",
           "calls of systemd"], rows)


def curve(title, life, points, machine_for, runs):
    """A row for each phase, a column for each point."""
    columns = []
    for point in points:
        say(f"{title}: {point}")
        machine = machine_for(point)
        columns.append(machine.cpu_ms(life, machine.berth, runs))
        machine.end()
    rows = [
        [step.title, *(f"{column[index]:.2f}" for column in columns)]
        for index, step in enumerate(life.steps) if step.title != "`stopped`"]
    table([f"CPU ms by {title}", *map(str, points)], rows)


def curves(work, binary, runs):
    def beside(count, **others):
        machine = Machine(work, binary, shape=Shape(64), movable=40, fixed=0)
        machine.host.add_others(count, machine.berth, machine.tools.measured, **others)
        return machine

    def with_workers(count):
        machine = Machine(work, binary)
        machine.host.workers = count - BENCH.vcpus - 2
        return machine

    def with_cpus(count):
        nodes = max(1, count // 64)
        return Machine(work, binary, shape=Shape(count // 2, 2, nodes, max(1, nodes // 4)))

    curve("other VMs", BESIDE, (0, 4, 16, 64), beside, runs)
    curve("other VMs that keep 40 interrupts off a CPU", BESIDE, (0, 4, 16, 64),
          lambda count: beside(count, name="mover"), max(3, runs // 4))
    def with_processes(count):
        machine = Machine(work, binary, shape=Shape(2, 1), release=(6, 1))
        machine.host.add_processes(count)
        return machine

    curve("other processes, before Linux 6.4", PINNED, (0, 100, 400), with_processes, runs)
    curve("interrupts of the host", ISOLATED, (0, 40, 160, 640),
          lambda count: Machine(work, binary, movable=count, fixed=0), runs)
    curve("threads of QEMU", PINNED, (5, 20, 80, 320), with_workers, runs)
    curve("CPUs of the host", ISOLATED, (8, 32, 128, 512), with_cpus, runs)


def main():
    work, binary, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if made.is_inside():
        lives(work, binary, runs)
        curves(work, binary, runs)
        return 0
    why = made.why_not()
    if why:
        say(f"no host can be made here: {why}")
        return 0
    return made.go_inside(sys.argv)


sys.exit(main())
