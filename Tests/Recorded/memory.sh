#!/bin/bash
# Where huge pages are reserved for domains of different make, on hosts of different make, and what is said where there
# are too few: a line of inputs → verdict for each.
#
# usage: Tests/Recorded/memory.sh BERTH
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"

# host NAME
host() {
  rm -rf "$root"
  "$berth" recorded unpack "$hosts/$1.host" "$root"
}
nodes=$root/sys/devices/system/node

# domain MEMORY_MIB [PINS [NUMATUNE [PAGE_KIB]]]: PINS is a list of CPUs, one for each vCPU; “-” for none.
domain() {
  local vcpu=0 cpu pins='' page=''
  [ -z "${4-}" ] || page="<page size='$4' unit='KiB'/>"
  if [ "${2:--}" != - ]; then
    for cpu in ${2//,/ }; do
      pins+="<vcpupin vcpu='$vcpu' cpuset='$cpu'/>"
      vcpu=$((vcpu + 1))
    done
  fi
  printf "<domain type='kvm'><name>v</name><uuid>7d3c9a52-1f0e-4b6d-8a34-2c5be1907f11</uuid>%s%s%s%s%s</domain>\n" \
    "<memory unit='MiB'>$1</memory>" \
    "<memoryBacking><hugepages>$page</hugepages></memoryBacking>" \
    "<vcpu>$((vcpu > 0 ? vcpu : 2))</vcpu>" "${pins:+<cputune>$pins</cputune>}" "${3:+<numatune>$3</numatune>}" \
    >"$stage/vm.xml"
}
memory() { echo "<memory mode='$1' nodeset='$2'/>"; }

# pages: “NODE:PAGES …” of what prepare reserves, in the order of the nodes.
pages() {
  "$berth" plan --libvirt "$stage/vm.xml" --root "$root" --json 2>/dev/null | python3 -c '
import json, re, sys
found = {}
for change in json.load(sys.stdin)["phases"][0]["changes"]:
    pool = re.fullmatch(r"\S+ \S+ pages on node (\d+)", change["setting"])
    if pool: found[int(pool[1])] = change["to"]
print(" ".join(f"{node}:{found[node]}" for node in sorted(found)))'
}

# asked INPUT EXPECTED DOMAIN…: where the pages are asked for.
asked() {
  domain "${@:3}"
  check_equal "$1 → ${2:-nothing}" "$2" "$(pages)"
}

# told INPUT VERDICT PATTERN DOMAIN…: what plan says of it.
told() {
  local label="$1 → $2" pattern=$3
  domain "${@:4}"
  hear "$berth" plan --libvirt "$stage/vm.xml" --root "$root"
  if grep -qE -- "$pattern" <<<"$output"; then ok "$label"; else fail "$label" "$output"; fi
}

# --- two nodes ------------------------------------------------------------------------------------

host two-node-workstation
asked "two nodes: pins on node 1" 1:2048 4096 4,12
asked "two nodes: pins on node 0" 0:2048 4096 1,9
asked "two nodes: most pins on node 1" 1:2048 4096 1,4,5
asked "two nodes: no pins, more free on node 1" 1:2048 4096
asked "two nodes: interleave" "0:1024 1:1024" 4096 4,12 "$(memory interleave 0-1)"
asked "two nodes: interleave, an odd number" "0:51 1:50" 202 4,12 "$(memory interleave 0-1)"
asked "two nodes: strict 0, pins on node 1" 0:2048 4096 4,12 "$(memory strict 0)"
asked "two nodes: strict 0-1" 1:2048 4096 4,12 "$(memory strict 0-1)"
asked "two nodes: preferred 0" 0:2048 4096 4,12 "$(memory preferred 0)"
asked "two nodes: restrictive 0" 0:2048 4096 4,12 "$(memory restrictive 0)"
asked "two nodes: pages of 1 GiB" 1:4 4096 4,12 '' 1048576
told "two nodes: strict 5" refused 'only nodes 0-1' 4096 4,12 "$(memory strict 5)"
told "two nodes: pages of 16 MiB" refused 'offers 2 MiB, 1 GiB' 4096 4,12 '' 16384

sed -i -E 's/(MemFree:) +[0-9]+/\1 3145728/' "$nodes/node1/meminfo"
echo "Node 1 AnonPages:      40000000 kB" >>"$nodes/node1/meminfo"
sed -i -E 's/(Active\(file\)|Inactive\(file\)|SReclaimable|KReclaimable): +[0-9]+/\1: 0/' "$nodes/node1/meminfo"
asked "node 1 with 3 GiB free: preferred 1" "0:512 1:1536" 4096 4,12 "$(memory preferred 1)"
asked "node 1 with 3 GiB free: pins there" "0:512 1:1536" 4096 4,12
told "node 1 with 3 GiB free: pins there" "said" 'come from node 0, as node 1 has no room' 4096 4,12
told "node 1 with 3 GiB free: strict 1" "foreseen, with who has the memory and what would fit" \
  '1536 can be had now: only 3 GiB of the node.s .* are free.* programs have .*; give the VM 3 GiB there at most' \
  4096 4,12 "$(memory strict 1)"
hear "$berth" doctor --libvirt "$stage/vm.xml" --root "$root"
if [[ ${output//[$'\n ']/} == *"1536canbehadnow"* ]]; then ok "the same → found by doctor"
else fail "the same → found by doctor" "$output"; fi

# --- a node of memory alone -----------------------------------------------------------------------

host two-node-workstation
cp -r "$nodes/node1" "$nodes/node2"
echo >"$nodes/node2/cpulist"
sed -i -E 's/Node 1/Node 2/; s/(Mem(Total|Free):) +[0-9]+/\1 268435456/' "$nodes/node2/meminfo"
echo "40 40 10" >"$nodes/node2/distance"
asked "a node without CPUs: pins on node 1" 1:2048 4096 4,12
asked "a node without CPUs: no pins" 1:2048 4096
asked "a node without CPUs: named" 2:2048 4096 4,12 "$(memory strict 2)"

# --- others ---------------------------------------------------------------------------------------

host epyc-server
asked "eight nodes: pins on node 3" 3:2048 4096 50,51
asked "eight nodes: interleave 2-5" "2:512 3:512 4:512 5:512" 4096 50,51 "$(memory interleave 2-5)"
asked "eight nodes: preferred 3, more than it has, the near ones next" "0:18917 3:45083" 128000 50,51 \
  "$(memory preferred 3)"
host hybrid-laptop
asked "one node" 0:2048 4096 2,3
rm -rf "$nodes"
asked "a kernel without NUMA" 0:2048 4096 2,3
host two-node-workstation
for folder in "$nodes"/node*/hugepages "$root/sys/kernel/mm/hugepages"; do
  mv "$folder/hugepages-2048kB" "$folder/hugepages-524288kB"
  rm -r "$folder/hugepages-1048576kB"
done
sed -i 's/Hugepagesize:.*/Hugepagesize: 524288 kB/' "$root/proc/meminfo"
asked "pages of 64 KiB, huge ones of 512 MiB" 1:8 4096 4,12
asked "pages of 64 KiB, memory that is no whole number of huge ones" 1:9 4097 4,12
