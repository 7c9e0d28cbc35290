#!/bin/bash
# How long vCPUs wait for their CPUs where the pins are not one CPU each and the emulator elsewhere: without Berth and with it.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

echo "host: kernel $(uname -r), $(systemctl --version | head -1), libvirt $(virsh --version)"

# shape NAME SCRIPT…: defines it anew, without huge pages and with its XML changed by sed.
shape() {
    local name=$1
    shift
    sed -e '/<memoryBacking>/,/<.memoryBacking>/d' "$@" "/run/$name.xml" >"/run/$name-changed.xml" &&
        virsh -q define "/run/$name-changed.xml"
}
mixed() { shape deck -e "s|<vcpupin vcpu='0' cpuset='4'|<vcpupin vcpu='0' cpuset='6-7'|"; }
beside_emulator() { shape deck -e "s|<emulatorpin cpuset='[^']*'|<emulatorpin cpuset='4-7'|"; }
pinned() { shape deck; }

# waits LABEL: deck's life, with its vCPUs' waiting measured.
waits() {
    check "$1: deck starts" start_vm deck || return
    measure deck "$1"
    check "$1: deck is destroyed" stop_vm deck
}
# waits_little LABEL VCPU…: less than 1 % each.
waits_little() {
    local label=$1 vcpu
    shift
    for vcpu in "$@"; do
        check "$label: vCPU $vcpu waits less than 1 %" awk "BEGIN { exit !(${waited[vcpu]:-100} < 1) }"
    done
}
unpinned_comes() {
    check "a VM without pins runs" start_vm skiff && check "it is busy" wait_for 60 vm_is_up skiff
}

define_vm deck 64 4 5 6-7
define_vm skiff 64 5 7 6
check "a VM without pins is defined" shape skiff -e '/<cputune>/,/<.cputune>/d'
start_witness
snapshot $results/before

for way in mixed beside_emulator; do
    check "$way is defined" $way
    waits "$way without Berth"
done
check "the pinned one is defined" pinned
unpinned_comes
waits "beside an unpinned VM, without Berth"
check "the VM without pins is destroyed" stop_vm skiff
check_restored "the host is as before"

check "Berth is installed" install_berth
check "mixed is defined" mixed
waits "mixed with Berth"
waits_little mixed 1
check_restored "mixed: the host is as before"
check "the emulator may run on the vCPUs' CPUs" beside_emulator
waits "beside_emulator with Berth"
waits_little beside_emulator 0 1
check_restored "beside_emulator: the host is as before"
printf '\n[vm.deck]\nisolation = "slices"\n\n[vm.skiff]\nenabled = false\n' >>/etc/berth/berth.toml
check "the pinned one is defined" pinned
unpinned_comes
waits "slices beside an unpinned VM, with Berth"
waits_little "slices" 0 1
check "the VM without pins is destroyed" stop_vm skiff
check_restored "slices: the host is as before"
