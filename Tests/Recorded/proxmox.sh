#!/bin/bash
# Plays a VM of Proxmox VE on the recorded workstation with the built binary, as far as that goes
# without a QEMU, and compares every file of the host afterwards.
#
# usage: Tests/Recorded/proxmox.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"
conf=etc/pve/nodes/one/qemu-server

# asked NAME STATUS WORDS ARGUMENT…: of the recorded host, Berth has to say that.
asked() { answer "$@" --root "$root"; }

fresh() {
  unpack_workstation
  mkdir -p "$root/$conf"
  ln -s nodes/one/qemu-server "$root/etc/pve/qemu-server"
  # Without what would keep it from starting here: a mapping, an old chipset, and cores that contradict -smp.
  sed '/^hostpci1:/d; /^\[PENDING\]/,/^$/d; s/^numa: 1/&\nmachine: q35/' "$hosts/../Fuzz/seeds/proxmox/gaming" \
    >"$root/$conf/100.conf"
  remember
}

fresh
asked "a plan has the steps of Proxmox" 0 "post-start" plan 100
asked "a plan has the pages that Proxmox looks for" 0 "2 MiB pages on node 1   0 → 8192" plan 100
asked "a plan has what Proxmox does with them" 0 "Proxmox resets them" plan 100
asked "a plan divides affinity among the vCPUs" 0 "its share of affinity pins vCPU 7" plan 100 -v
asked "a plan makes the scope a partition" 0 "cpuset.cpus.partition of 100.scope" plan 100 -v
asked "a plan of a file knows its number" 0 "100.scope" plan -v --proxmox "$root/$conf/100.conf"
unchanged "a plan changes nothing"

fresh
asked "pre-start reserves the pages" 0 "0 → 8192" replay 100 pre-start
asked "pre-start leaves the functions to Proxmox" 0 "stays" replay 100 pre-start --dry-run
asked "the VM is in" 0 "gaming  100" status
asked "post-stop gives back" 0 "8192 → 0" replay 100 post-stop
unchanged "after a start that failed the host is as it was"

fresh
sed -i 's/hostpci0: .*/hostpci0: 0000:41:00,driver=keep/' "$root/$conf/100.conf"
cp -a "$root/$conf/100.conf" "$stage/before/$conf/100.conf"
asked "with driver=keep Berth binds" 0 "nouveau → vfio-pci" replay 100 pre-start
asked "it goes back" 0 "vfio-pci → nouveau" replay 100 post-stop
unchanged "with driver=keep the host is as it was"

fresh
printf 'hugepages: 2\nnuma: 1\nmemory: 9999999\ncores: 2\n' >"$root/$conf/102.conf"
cp -a "$root/$conf/102.conf" "$stage/before/$conf/102.conf"
asked "a VM larger than its node is refused" 1 "of memory in all" replay 102 pre-start
unchanged "and leaves nothing"
asked "a VM that is not there is named" 2 "knows a VM “103”" plan 103
