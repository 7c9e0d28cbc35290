"""The files of a host that is made up: CPUs, nodes, pools, interrupts, control groups.

`wide` writes them into a folder, as a record that Berth reads by `--root`; `counts` and `cases` write
them over /sys and /proc of a mount namespace, where a hook reads them like any host's.
"""
import os


def spelled(cpus):
    """A set in the kernel's normal form, 0-3,8."""
    runs = []
    for cpu in sorted(cpus):
        if runs and runs[-1][1] + 1 == cpu:
            runs[-1][1] = cpu
        else:
            runs.append([cpu, cpu])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)


class Tree:
    """Files below a folder; paths are relative to it."""

    def __init__(self, root):
        self.root = root
        self.folders = set()

    def file(self, path, text):
        place = os.path.join(self.root, path)
        folder = os.path.dirname(place)
        if folder not in self.folders:
            os.makedirs(folder, exist_ok=True)
            self.folders.add(folder)
        with open(place, "w", encoding="utf-8") as file:
            file.write(text if text.endswith(("\n", "\0")) else text + "\n")

    def link(self, path, target):
        place = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(target, place)

    def folder(self, path):
        os.makedirs(os.path.join(self.root, path), exist_ok=True)

    def group(self, path, cpus, shape, partitions=True):
        """A control group with cpusets, which can be remote partitions from Linux 6.7 on."""
        folder = f"sys/fs/cgroup/{path}"
        self.file(f"{folder}/cpuset.cpus", cpus)
        self.file(f"{folder}/cpuset.cpus.effective", cpus or shape.everything)
        self.file(f"{folder}/cpuset.cpus.partition", "member")
        if partitions:
            self.file(f"{folder}/cpuset.cpus.exclusive", "")
        self.file(f"{folder}/cgroup.procs", "")


class Shape:
    """How many CPUs there are, and what they share; CPU `n + cores` is the sibling of CPU `n`."""

    def __init__(self, cores, siblings=2, nodes=1, packages=1, cores_of_cache=8):
        self.cores, self.siblings, self.nodes, self.packages = cores, siblings, nodes, packages
        self.cpus = cores * siblings
        self.everything = spelled(range(self.cpus))
        self.cores_of_node = cores // nodes
        self.cores_of_cache = min(cores_of_cache, cores)

    @property
    def mask(self):
        """All CPUs as the kernel writes a mask of them."""
        words, rest = divmod(self.cpus, 32)
        return ",".join(([f"{(1 << rest) - 1:x}"] if rest else []) + ["ffffffff"] * words)

    def threads(self, cores):
        return [core + half * self.cores for core in cores for half in range(self.siblings)]


def processors(tree, shape):
    """CPUs, nodes, and pools without a page."""
    cpu = "sys/devices/system/cpu"
    for name in ("online", "possible", "present"):
        tree.file(f"{cpu}/{name}", shape.everything)
    for number in range(shape.cpus):
        core = number % shape.cores
        first = core // shape.cores_of_cache * shape.cores_of_cache
        cache = spelled(shape.threads(range(first, first + shape.cores_of_cache)))
        siblings = spelled(shape.threads([core]))
        topology = f"{cpu}/cpu{number}/topology"
        of_package = shape.cores // shape.packages
        tree.file(f"{topology}/thread_siblings_list", siblings)
        tree.file(f"{topology}/core_id", str(core % of_package))
        tree.file(f"{topology}/physical_package_id", str(core // of_package))
        dies = max(1, shape.nodes // shape.packages)
        tree.file(f"{topology}/die_id", str(core // shape.cores_of_node % dies))
        for index, (level, kind, size) in enumerate(
                [(1, "Data", "32K"), (1, "Instruction", "32K"), (2, "Unified", "1024K"),
                 (3, "Unified", "32768K")]):
            folder = f"{cpu}/cpu{number}/cache/index{index}"
            tree.file(f"{folder}/level", str(level))
            tree.file(f"{folder}/type", kind)
            tree.file(f"{folder}/size", size)
            tree.file(f"{folder}/shared_cpu_list", cache if level == 3 else siblings)
    for node in range(shape.nodes):
        folder = f"sys/devices/system/node/node{node}"
        cores = range(node * shape.cores_of_node, (node + 1) * shape.cores_of_node)
        tree.file(f"{folder}/cpulist", spelled(shape.threads(cores)))
        distances = ("10" if other == node else "12" for other in range(shape.nodes))
        tree.file(f"{folder}/distance", " ".join(distances))
        tree.file(
            f"{folder}/meminfo",
            f"Node {node} MemTotal: 263842816 kB\nNode {node} MemFree: 200000000 kB\n")
        for pages in (2048, 1048576):
            for name in ("nr_hugepages", "free_hugepages", "surplus_hugepages"):
                tree.file(f"{folder}/hugepages/hugepages-{pages}kB/{name}", "0")
    for pages in (2048, 1048576):
        for name in ("nr_hugepages", "free_hugepages", "surplus_hugepages", "resv_hugepages"):
            tree.file(f"sys/kernel/mm/hugepages/hugepages-{pages}kB/{name}", "0")


def interrupts(tree, shape, count, movable, action="i40e"):
    """Interrupts from number 100 on. Those of queues are spread by the kernel, a CPU each, and stay
    there: their numbers are returned."""
    fixed = []
    for number in range(count):
        folder = f"proc/irq/{100 + number}"
        is_movable = number < movable
        cpus = shape.everything if is_movable else str(number % shape.cpus)
        tree.file(f"{folder}/smp_affinity_list", cpus)
        tree.folder(f"{folder}/{action}-{number}")
        if not is_movable:
            fixed.append(100 + number)
    tree.file("proc/irq/default_smp_affinity", shape.mask)
    return fixed


def host_groups(tree, shape, partitions=True):
    """The control groups that a host has without any VM."""
    tree.file("sys/fs/cgroup/cpuset.cpus.effective", shape.everything)
    tree.file("sys/fs/cgroup/cpuset.cpus.isolated", "")
    for name in ("init.scope", "system.slice", "user.slice", "machine.slice", "qemu.slice"):
        tree.group(name, "", shape, partitions)
