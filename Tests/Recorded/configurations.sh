#!/bin/bash
# What plan and doctor say of configurations of Proxmox's of different make, before Proxmox or QEMU would: a line of
# input → verdict for each.
#
# usage: Tests/Recorded/configurations.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"

# fresh: the recorded node, with mappings.
fresh() {
  rm -rf "$root"
  "$berth" recorded unpack "$hosts/proxmox-node.host" "$root"
  machines=$root/etc/pve/nodes/host/qemu-server
  mkdir -p "$root/etc/pve/mapping"
  printf '%s\n\tmap %s\n\n' \
    gpu id=10de:1eb8,iommugroup=1,node=host,path=0000:01:00.0 \
    elsewhere id=8086:1521,iommugroup=2,node=other,path=0000:02:00.0 \
    changed id=1002:744c,iommugroup=2,node=host,path=0000:02:00.0 \
    gone id=8086:1521,iommugroup=2,node=host,path=0000:09:00.0 >"$root/etc/pve/mapping/pci.cfg"
}

# machine LINE…: is VM 300.
machine() {
  printf '%s\n' 'name: trial' "$@" >"$machines/300.conf"
}

# unbroken: what was said, without the breaks of its lines.
unbroken() { tr -s '\n ' ' ' <<<"$output"; }

# judged INPUT VERDICT STATUS WORDS LINE…: by plan, and where it is refused or warned of, by doctor in the same words.
judged() {
  local label="$1 → $2" status=$3 words=$4
  machine "${@:5}"
  hear "$berth" plan 300 --root "$root"
  if [[ $code == "$status" && $(unbroken) == *"$words"* ]]; then ok "$label"
  else fail "$label" "status $code: $output"; fi
}
refused() {
  judged "$1" "refused: $2" 1 "$2" "${@:4}"
  hear "$berth" doctor 300 --root "$root"
  if [[ $code == 2 && $(unbroken) == *"$2"* && $(unbroken) == *"$3"* ]]; then ok "$1 → mended by: $3"
  else fail "$1 → mended by: $3" "status $code: $output"; fi
}
warned() {
  judged "$1" "warned of: $2" 0 "warning: $2" "${@:3}"
  hear "$berth" doctor 300 --root "$root"
  if [[ $(unbroken) == *"$2"* ]]; then ok "$1 → found by doctor"; else fail "$1 → found by doctor" "$output"; fi
}
noted() { judged "$1" "$2" 0 "$3" "${@:4}"; }

# pinned INPUT CPUS LINE…: where vCPUs go, in their order; “-” for nowhere.
pinned() {
  local label="$1 → vCPUs on $2" found
  machine "${@:3}"
  found=$("$berth" plan 300 --root "$root" --json 2>/dev/null | python3 -c '
import json, re, sys
pins = {}
for change in json.load(sys.stdin)["phases"][1]["changes"]:
    vcpu = re.match(r"CPUs of vCPU (\d+)", change["title"])
    if vcpu: pins[int(vcpu[1])] = change["to"]
print(",".join(pins[vcpu] for vcpu in sorted(pins)) or "-")')
  check_equal "$label" "$2" "$found"
}

fresh

# --- args and vCPUs -------------------------------------------------------------------------------

pinned "no args" 6,7,8,9 'cores: 4' 'affinity: 6-9'
pinned "-smp with threads" 6,14,7,15 'cores: 4' 'affinity: 6-7,14-15' 'args: -smp 4,cores=2,threads=2'
pinned "the same in quotes" 6,14,7,15 'cores: 4' 'affinity: 6-7,14-15' "args: -smp '4,cores=2,threads=2'"
pinned "the same behind another quoted word" 6,14,7,15 'cores: 4' 'affinity: 6-7,14-15' \
  'args: -cpu "host,x=a b" -smp "4,cores=2,threads=2"'
pinned "more cores in -smp than in cores" 6,7,8,9 'cores: 2' 'affinity: 6-9' 'args: -smp 4,cores=4,maxcpus=4'
pinned "fewer in -smp" 6,7 'cores: 4' 'affinity: 6-9' 'args: -smp 2'
pinned "two -smp" 6,7 'cores: 4' 'affinity: 6-9' 'args: -smp 3 -smp 2'
pinned "a quote that is not closed" 6,7,8,9 'cores: 4' 'affinity: 6-9' "args: -smp '2"
pinned "vcpus below the most" 6,7 'cores: 8' 'vcpus: 2' 'affinity: 6-9'
refused "-smp that contradicts cores" "product of the hierarchy must match maxcpus" \
  "replace -smp in args of 300 with -smp 4,cores=2,threads=2,maxcpus=4" 'cores: 2' 'args: -smp 4,cores=2,threads=2'
refused "more vCPUs than CPUs" "MAX 16 vcpus allowed per VM on this node" "--cores 16" 'cores: 20'

# --- affinity -------------------------------------------------------------------------------------

refused "affinity beyond the host" "would end its start with “Invalid argument”" "qm set 300 --affinity 0-15" \
  'cores: 4' 'affinity: 16-31'
warned "affinity in part beyond the host" "CPUs 16-17 of affinity of trial are not online; qm set 300 --affinity 10-15" \
  'cores: 4' 'affinity: 10-17'
warned "affinity of fewer CPUs than vCPUs" "the 4 vCPUs of trial share its affinity 6, which has only 1 CPU; qm set 300 --affinity with 4 or more" \
  'cores: 4' 'affinity: 6'
noted "affinity as a fence" "said" "which is too wide to be its own" 'cores: 2' 'affinity: 0-15'
hear "$berth" doctor 300 --root "$root"
check_equal "affinity as a fence → found by doctor" found "$([[ $(unbroken) == *'too wide to be its own'* ]] && echo found)"

# --- devices --------------------------------------------------------------------------------------

refused "an absent slot" "no PCI device found for '0000:98:00'" "berth topology" 'hostpci0: 0000:98:00'
refused "an absent function" "wants 0000:99:00.0, which this host does not have" "berth topology" 'hostpci0: 0000:99:00.0'
refused "an absent function of args" "wants 0000:99:00.0, which this host does not have" "berth topology" \
  'args: -device vfio-pci,host=99:00.0'
refused "an absent mapping" "PCI device mapping not found for 'none'" "make the mapping" 'hostpci0: mapping=none'
refused "a mapping for another node" "PCI device mapping not found for 'elsewhere'" "a map line with node=host" \
  'hostpci0: mapping=elsewhere'
refused "a mapping of another device" "'id' does not match for 'changed' (8086:1521 != 1002:744c)" \
  "map id=8086:1521,iommugroup=2,node=host,path=0000:02:00.0" 'hostpci0: mapping=changed'
refused "a mapping of an absent device" "pci device '0000:09:00.0' not found" "path=" 'hostpci0: mapping=gone'
refused "a mediated device that nobody makes" "does not support mediated devices" "mdev=" \
  'hostpci0: 0000:02:00.0,mdev=i915-GVTg_V5_4'
refused "pcie=1 in an old chipset" "q35 machine model is not enabled" "qm set 300 --machine q35" \
  'hostpci0: 0000:02:00.0,pcie=1'
noted "a function of args" "bound by Berth" "igb → vfio-pci" 'args: -device vfio-pci,host=02:00.0'
noted "a mapping" "startable" "trial" 'hostpci0: mapping=gpu'

# --- memory ---------------------------------------------------------------------------------------

odd="is not a positive even integer; cannot use for hugepages"
refused "odd memory in huge pages" "memory size '4097' $odd" "qm set 300 --memory 4096" \
  'memory: 4097' 'numa: 1' 'hugepages: 2'
refused "memory that is odd for each socket" "memory size '2049' $odd" "qm set 300 --memory 4096" \
  'memory: 4098' 'sockets: 2' 'numa: 1' 'hugepages: 2'
refused "memory that 1 GiB does not divide" "Memory size 3000 is not a multiple of the requested hugepages size 1024" \
  "qm set 300 --memory 2048" 'memory: 3000' 'numa: 1' 'hugepages: 1024'
refused "memory that three sockets do not divide" "total memory for NUMA nodes should equal RAM size" \
  "qm set 300 --memory 4095" 'memory: 4096' 'sockets: 3' 'numa: 1'
refused "huge pages without NUMA" "numa needs to be enabled to use hugepages" "qm set 300 --numa 1" 'hugepages: 2'
refused "numaN that do not add up" "total memory for NUMA nodes must be equal to vm static memory" \
  "qm set 300 --memory 1024" 'memory: 2048' 'numa: 1' 'numa0: cpus=0,memory=1024,hostnodes=0,policy=bind'
refused "memory hotplug beside numaN" "cannot enable memory hotplugging with custom NUMA topology" \
  "qm set 300 --hotplug disk" 'memory: 1024' 'numa: 1' 'hotplug: disk,memory' 'numa0: cpus=0,memory=1024'
refused "memory hotplug of an odd size" "memory size (2000) must be aligned to 512 for hotplugging" \
  "qm set 300 --memory 1536" 'memory: 2000' 'numa: 1' 'hotplug: memory'
refused "a node that is not there" "host NUMA node1 doesn't exist" "hostnodes=" \
  'memory: 1024' 'numa: 1' 'numa0: cpus=0,memory=1024,hostnodes=1,policy=bind'
noted "memory that all divides" "startable" "2 MiB pages on node 0" 'memory: 4096' 'numa: 1' 'hugepages: 2'

mkdir -p "$root/proc/spl/kstat/zfs"
printf '%s\n' '13 1 0x01 147 39984 1 1' 'name type data' 'size 4 34359738368' >"$root/proc/spl/kstat/zfs/arcstats"
sed -i -E 's/(MemFree:) +[0-9]+/\1 6291456/; s/(Active\(file\)|Inactive\(file\)|[SK]Reclaimable): +[0-9]+/\1: 0/' \
  "$root/sys/devices/system/node/node0/meminfo"
warned "a shortage beside ZFS" "trial needs 20480 huge pages of 2 MiB (40 GiB) on node 0, and 3072 can be had now: only 6 GiB of the node's 62.6 GiB are free, as the cache of ZFS (ARC) has 32 GiB" \
  'memory: 40960' 'numa: 1' 'hugepages: 2'
fresh

# --- [PENDING] and hibernation --------------------------------------------------------------------

pending=('cores: 4' 'affinity: 6-9' '[PENDING]' 'affinity: 10-11' 'cores: 2')
pinned "[PENDING]" 10,11 "${pending[@]}"
noted "[PENDING]" "said" "this plan includes [PENDING], as the next start does: affinity, cores" "${pending[@]}"
pinned "[PENDING] of a hibernated VM" 6,7,8,9 'vmstate: local:300/x' 'lock: suspended' "${pending[@]}"
pinned "a key that [PENDING] takes out" - 'cores: 4' 'affinity: 6-9' '[PENDING]' 'delete: affinity'
machine "${pending[@]}"
answer "[PENDING] → counted by advise" 0 "trial: 2 vCPUs" advise 300 --root "$root"
refused "[PENDING] that Proxmox does not start with" "numa needs to be enabled to use hugepages" "--numa 1" \
  'cores: 1' '[PENDING]' 'hugepages: 2'

# --- lock: backup ---------------------------------------------------------------------------------

fresh
sed -i '1i lock: backup\nhostpci0: 0000:02:00.0,driver=keep' "$machines/100.conf"
answer "backup → pre-start binds what the start needs" 0 "igb → vfio-pci" replay 100 pre-start --root "$root"
answer "backup → post-start waits for the guest" 0 "started for a backup" replay 100 post-start --root "$root"
check_equal "backup → no vCPU is pinned" "2-5" "$(sed -n 's/^Cpus_allowed_list:\t//p' "$root/proc/2000/task/2003/status")"
answer "backup → status says what is still to come" 0 "its guest has not run" status --root "$root"
answer "backup → a frozen guest stays as it is" 0 "nothing to change" reconcile --root "$root"
sed -i 1d "$machines/100.conf"
answer "backup is over, and the guest runs → its vCPUs are pinned" 0 "CPUs of vCPU 3 (thread 2006)          2-5 → 5" \
  reconcile --root "$root"
rm -r "$root/run/qemu-server/100.pid" "$root/proc/2000" "$machines/100.conf"
answer "post-stop without a configuration → all goes back" 0 "vfio-pci → igb" replay 100 post-stop --root "$root"
answer "post-stop of a VM that nobody knows → nothing" 0 "nothing to change" replay 777 post-stop --root "$root"
answer "pre-start without a configuration → no such VM" 2 "knows a VM “777”" replay 777 pre-start --root "$root"

# --- names ----------------------------------------------------------------------------------------

fresh
answer "a name instead of a vmid → plan" "0 1" "web  100" plan web --root "$root"
answer "a name instead of a vmid → doctor" "0 1 2" "at web" doctor web --root "$root"
answer "a name instead of a vmid → advise" "0 1" "web: 4 vCPUs" advise web --root "$root"
answer "a name instead of a vmid → topology" 0 "node 0" topology web --root "$root"
answer "a name instead of a vmid → replay" 0 "its share of affinity" replay web post-start --root "$root"
answer "a name instead of a vmid → release" 0 "5 → 2-5" release web --even-running --root "$root"
answer "a name with a slip → the nearest" 2 "the nearest is “render”" plan rendre --root "$root"
machine 'cores: 1' && sed -i 's/^name: .*/name: web/' "$machines/300.conf"
answer "a name that two have → both vmids" 2 "name one of 100, 300" plan web --root "$root"

# --- what doctor would have done to args ----------------------------------------------------------

fresh
machine 'cores: 4' 'affinity: 6-7,14-15' "args: -device 'a b'"
hear "$berth" doctor 300 --root "$root"
if grep -q -- "--args" <<<"$output"; then
  check_equal "args beside doctor's line → kept" kept "$(grep -q -- '-device "a b" -smp' <<<"$output" && echo kept)"
else fail "args beside doctor's line → kept" "$output"; fi
