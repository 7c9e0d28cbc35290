#!/bin/bash
# Pins and vCPUs that change while an isolated VM runs, and other VMs on its CPUs, whose hook calls Berth or not: who is first,
# who is second, and who is told.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

groups=/sys/fs/cgroup
policy=/etc/berth/berth.toml
hook=/etc/libvirt/hooks/qemu
# Before 6.7 no cgroup can name CPUs of its own.
kernel=$(uname -r)
can_partition() { [[ $kernel != 6.1.* ]]; }

scope_of() { cgroup_of "$(vm_pid "$1")" | sed 's|\.scope/.*|.scope|'; }
group_cpus() { cat "$(scope_of "$1")/libvirt/$2/cpuset.cpus"; }
isolated() { [[ $(<$groups/cpuset.cpus.isolated) == "$1" ]]; }
has_cpus() { [[ $(group_cpus "$1" "$2") == "$3" ]]; }
says() { journalctl -t berth -q --no-pager -o cat | grep -q "$1"; }
is_settled() { ! systemctl -q is-active berth-reconcile.service berth-live.service && [[ ! -e /run/berth/changed ]]; }
misses() { berth status --json | jq -e --arg pattern "$1" '.. | strings | select(test($pattern))'; }

# becomes NAME CPUS: the partitions of all VMs have these CPUs within some seconds.
becomes() {
    check "$1: $2 are isolated" wait_for 30 isolated "$2" || echo "     isolated: $(<$groups/cpuset.cpus.isolated)"
}
without_hook() {
    mv $hook /run/hook
    ln -s /bin/true $hook
    "$@"
    local status=$?
    rm $hook
    mv /run/hook $hook
    return $status
}

define_vm deck 64 4 5 6-7
idle_guest deck
define_vm skiff 64 5 5 6
sed -i 's|<memoryBacking>.*</memoryBacking>||; /<memoryBacking>/,/<\/memoryBacking>/d' /run/skiff.xml
check "skiff needs no huge pages" virsh -q define /run/skiff.xml
idle_guest skiff
snapshot $results/before
check "Berth is installed" install_berth
check "somebody waits for what changes" systemctl -q is-active berth-live.path

if ! can_partition; then
    check "deck starts" start_vm deck
    systemd-run -q --slice=machine.slice --scope --unit=libpod-1 sleep 600 &
    check "a container comes" wait_for 10 test -d $groups/machine.slice/libpod-1.scope
    effective=$groups/machine.slice/libpod-1.scope/cpuset.cpus.effective
    check "and is off the vCPUs' CPUs" wait_for 30 grep -qx 0-3,6-7 $effective
    kill %1
    check "deck is destroyed" stop_vm deck
    check "nothing is held any more" wait_for 30 nothing_is_held
    exit
fi

echo "== pins while it runs"
check "deck starts" start_vm deck || exit
becomes "at first" 4-5
check "somebody watches its vCPUs" wait_for 30 bash -c "systemctl list-units --plain --no-legend 'berth-pins-*.path' | grep -q ."
check_refused "from its CPU to another one the kernel does not let it" 'Invalid argument' virsh -q vcpupin deck 0 3 --live
check "its group has its CPU again" wait_for 30 has_cpus deck vcpu0 4
check "the journal says why" wait_for 30 says 'vCPU 0 of deck stays on CPU 4'
becomes "after the refused pin" 4-5
check "to both it goes" virsh -q vcpupin deck 0 3-4 --live
becomes "shared" 5
check "and then to the other one" virsh -q vcpupin deck 0 3 --live
becomes "moved" 3,5
check_equal "the thread is there" 3 "$(allowed_cpus "$(vcpu deck 0)")"
check "the emulator is pinned onto a vCPU's CPU" virsh -q emulatorpin deck 5-7 --live
check "it leaves it again" wait_for 30 has_cpus deck emulator 6-7
becomes "beside the emulator" 3,5
# Where a group comes onto the CPU of a partition below others, 6.12 ends that with a warning of its own
# (kernel/cgroup/cpuset.c, update_parent_effective_cpumask()).
sed -i "s/^kernel.tainted = .*/kernel.tainted = $(</proc/sys/kernel/tainted)/" $results/before
check "all is settled" wait_for 30 is_settled
check_equal "and nothing more is to be done" "nothing to change" "$(berth reconcile)"
berth status | sed -n '1,8s/^/     /p'
check "deck is destroyed" stop_vm deck
check_restored "after the pins the host is as before" 30

echo "== a vCPU that is plugged"
sed -e "s|<vcpu placement='static'>2</vcpu>|<vcpu placement='static' current='2'>3</vcpu>|" \
    -e "s|<vcpupin vcpu='1' cpuset='5'/>|&<vcpupin vcpu='2' cpuset='3'/>|" /run/deck.xml >/run/deck-3.xml
check "it is defined" virsh -q define /run/deck-3.xml
check "deck starts" start_vm deck || exit
becomes "two vCPUs" 4-5
check "a third one is plugged in" virsh -q setvcpus deck 3 --live
becomes "three vCPUs" 3-5
check "deck is destroyed" stop_vm deck
check_restored "after the plug the host is as before" 30
virsh -q define /run/deck.xml

echo "== a VM whose hook does not call Berth, first"
check "skiff starts" without_hook start_vm skiff || exit
check "deck starts" start_vm deck || exit
becomes "beside skiff" 4
check_equal "skiff keeps its CPU" 5 "$(allowed_cpus "$(vcpu skiff 0)")"
check "the status says why" misses 'skiff is on CPU 5 as well'
berth status | sed -n '1,8s/^/     /p'
check "skiff is destroyed" without_hook stop_vm skiff
becomes "once skiff has left" 4-5

echo "== and second"
check "the plan says it beforehand" grep -q 'skiff cannot start while deck is isolated' <(berth plan deck)
check_refused "its hook says it" 'vCPU 0 of skiff is pinned to CPU 5, which deck has to itself' start_vm skiff
check_refused "and the kernel" 'Invalid argument' without_hook start_vm skiff
becomes "nothing has changed" 4-5
printf '\n[vm.deck]\ncpu.contested = "yield"\n[vm.skiff]\nenabled = false\n' >>$policy
check "if deck yields, skiff starts" start_vm skiff
becomes "beside skiff" 4
check_equal "deck is where it was" "4 5" "$(allowed_cpus "$(vcpu deck 0)") $(allowed_cpus "$(vcpu deck 1)")"
check "the journal says so" says 'deck gives back CPU 5'
check "all is settled" wait_for 30 is_settled
becomes "and stays so" 4
check "skiff is destroyed" stop_vm skiff
becomes "once skiff has left" 4-5
check "deck is destroyed" stop_vm deck
check_restored "after all the host is as before" 30
