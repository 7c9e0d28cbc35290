#!/bin/bash
# Domains of different make: each that `plan` calls startable starts, with its memory on the node that its vCPUs or its own
# words name, by the kernel's count of QEMU's pages; each that `plan` refuses is refused before libvirt touches anything.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh
# shellcheck source=Tests/Lab/maker.sh
source /lab/maker.sh

memory_of() { echo "<numatune><memory mode='$1' nodeset='$2'/></numatune>"; }

# pages: how many huge pages of QEMU's lie on node 0 and on node 1.
pages() {
    awk '/ huge / { for (i = 1; i <= NF; i++) if (split($i, part, "=") == 2 && part[1] ~ /^N[01]$/) sum[part[1]] += part[2] }
        END { print sum["N0"] + 0, sum["N1"] + 0 }' "/proc/$(</run/libvirt/qemu/maker.pid)/numa_maps"
}

# starts LABEL PAGES PART=TEXT…: plan has nothing against it, it starts, and its pages lie there.
starts() {
    local label=$1 expected=$2
    shift 2
    check "$label: defined" define "$@" || return
    check "$label: plan calls it startable" startable || return
    check "$label: it starts" start_vm maker || return
    check_equal "$label: its pages on node 0 and 1" "$expected" "$(pages)"
    check "$label: it stops" stop_vm maker
}
cell() { echo "<cell id='$1' cpus='$1' memory='32' unit='MiB'/>"; }
cells="<cpu mode='maximum'><numa>$(cell 0)$(cell 1)</numa></cpu>"
each="<numatune><memory mode='strict' nodeset='0-1'/><memnode cellid='0' mode='strict' nodeset='1'/>\
<memnode cellid='1' mode='strict' nodeset='0'/></numatune>"
root_disk=$(readlink -f /sys/block/vda/device | grep -oE '[0-9a-f]{4}(:[0-9a-f]{2}){2}\.[0-7]' | tail -1)

start_witness
snapshot $results/before
check "Berth is installed" install_berth

echo "== where the memory is"
starts "vCPUs on node 1" "0 32" cputune="$(pins 4 5 6)"
starts "vCPUs on node 0" "32 0" cputune="$(pins 2 3 1)"
starts "vCPUs on node 1, the emulator on node 0" "0 32" cputune="$(pins 4 5 0-1)"
starts "the emulator alone is pinned" "0 32" cputune="<emulatorpin cpuset='6'/>"
starts "a set of CPUs for all" "0 32" vcpu="<vcpu cpuset='4-7'>2</vcpu>"
starts "ranges" "32 0" cputune="$(pins 0-3 0-3 0-3)"
starts "one vCPU of two is pinned" "0 32" cputune="<vcpupin vcpu='0' cpuset='5'/>"
starts "a vCPU that is off" "0 32" vcpu="<vcpu current='1'>2</vcpu>" cputune="$(pins 5 0 6)"
starts "strict, one node" "32 0" cputune="$(pins 4 5 6)" numatune="$(memory_of strict 0)"
starts "strict, two nodes" "0 32" cputune="$(pins 4 5 6)" numatune="$(memory_of strict 0-1)"
starts "interleave" "16 16" cputune="$(pins 4 5 6)" numatune="$(memory_of interleave 0-1)"
starts "preferred" "32 0" cputune="$(pins 4 5 6)" numatune="$(memory_of preferred 0)"
starts "restrictive" "0 32" cputune="$(pins 4 5 6)" numatune="$(memory_of restrictive 1)"
starts "two cells on two nodes" "16 16" cputune="$(pins 5 3 6)" cpu="$cells" numatune="$each"
starts "two cells, no numatune" "0 32" cputune="$(pins 4 5 6)" cpu="$cells"
starts "the default size" "0 32" cputune="$(pins 4 5 6)" backing="<memoryBacking><hugepages/></memoryBacking>"
starts "an older machine" "0 32" cputune="$(pins 4 5 6)" machine=pc
starts "ordinary pages" "0 0" cputune="$(pins 4 5 6)" backing=''
starts "no pins at all, strict" "0 32" numatune="$(memory_of strict 1)"

echo "== strict over two nodes, of which one has too little"
taken=$((($(awk '$3 == "MemFree:" { print $4 }' $nodes/node1/meminfo) >> 11) - 24))
echo $taken >$nodes/node1/$huge/nr_hugepages
stranger=$(<$nodes/node1/$huge/nr_hugepages)
hold_pages() { numactl --membind=1 qemu-system-x86_64 -M none -display none -daemonize -pidfile /run/holder.pid \
    -object "memory-backend-memfd,id=m,hugetlb=on,hugetlbsize=2M,size=$((stranger * 2))M,prealloc=on"; }
check "a stranger has the rest of node 1" hold_pages
check "more than node 1 has: defined" define memory=256 cputune="$(pins 4 5 6)" numatune="$(memory_of strict 0-1)"
check "more than node 1 has: plan calls it startable" startable
check "more than node 1 has: it starts" start_vm maker
read -r first second < <(pages)
check "more than node 1 has: both nodes have pages of it" test "$first" -gt 0 -a "$second" -gt 0
check_equal "more than node 1 has: all of them" 128 $((first + second))
check "more than node 1 has: it stops" stop_vm maker
refuses "more than node 1 has, strict there" 'huge pages .*on node 1' memory=512 cputune="$(pins 4 5 6)" \
    numatune="$(memory_of strict 1)"
kill "$(</run/holder.pid)"
wait_for 20 grep -qx "$stranger" $nodes/node1/$huge/free_hugepages
echo 0 >$nodes/node1/$huge/nr_hugepages

echo "== what would take the host down, or cannot start"
refuses "the host's disk" 'mounted at /' devices="$(function_at "$root_disk")"
refuses "a function that is not there" 'which this host does not have' devices="$(function_at 0000:77:00.0)"
refuses "a node that is not there" 'only nodes 0-1|NUMA node' numatune="$(memory_of strict 3)"
refuses "a CPU that is not there" 'CPU' cputune="$(pins 4 63 6)"
refuses "more memory than there is" 'GiB of memory in all|huge pages' memory=65536 cputune="$(pins 4 5 6)"
virsh -q undefine maker
check_restored "the host is as before"
