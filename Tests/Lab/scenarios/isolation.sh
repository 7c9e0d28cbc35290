#!/bin/bash
# Pins of all kinds, and what the kernel grants for them: which way of isolation stands is read off the host, and that all of
# it is given back.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

groups=/sys/fs/cgroup
# Before 6.7 no cgroup can name CPUs of its own.
kernel=$(uname -r)
can_partition() { [[ $kernel != 6.1.* ]]; }

# reached VM: the way that stands, as the status tells.
reached() {
    berth status --json | jq -r --arg name "$1" \
        '.holders[] | select(.name == $name) | .goals[] | select(.goal == "isolation") | .reached'
}
scope_of() { cgroup_of "$(vm_pid "$1")" | sed 's|\.scope/.*|.scope|'; }
emulator_cpus() { cat "$(scope_of "$1")/libvirt/emulator/cpuset.cpus"; }

# change VM SCRIPT…: defines it anew with its XML changed by sed.
change() {
    local name=$1
    shift
    sed "$@" "/run/$name.xml" >"/run/$name-changed.xml" && virsh -q define "/run/$name-changed.xml"
}

# life LABEL WAY CPUS: deck starts, is isolated that way, leaves the host those CPUs, and gives all back.
life() {
    local label=$1 way=$2 cpus=$3
    check "$label: deck starts" start_vm deck || return
    check_equal "$label: the way" "$way" "$(reached deck)"
    check_equal "$label: the host has CPUs $cpus" "$cpus" "$(host_cpus)"
    berth status | sed -n '1,6s/^/     /p'
}
ends() {
    check "$1: it is destroyed" stop_vm deck
    check_restored "$1: the host is as before"
}

define_vm deck 64 4 5 6-7
idle_guest deck
snapshot $results/before
check "Berth is installed" install_berth

if can_partition; then
    each='vCPU partitions' whole='VM partition'
else
    each=slices whole=slices
fi

echo "== the emulator on vCPUs' CPUs and others"
check "it is defined" change deck "s|<emulatorpin cpuset='[^']*'|<emulatorpin cpuset='4-7'|"
life "emulator on 4-7" "$each" 0-3,6-7
if can_partition; then
    check_equal "the emulator has left them" 6-7 "$(emulator_cpus deck)"
    check_equal "both are isolated" 4-5 "$(<$groups/cpuset.cpus.isolated)"
    berth release deck --even-running >/dev/null
    check_equal "what is given back while it runs: the emulator's list" 4-7 "$(emulator_cpus deck)"
    check_equal "and the host's CPUs" "$online" "$(host_cpus)"
fi
ends "emulator on 4-7"

echo "== the emulator on nothing but vCPUs' CPUs"
check "it is defined" change deck "s|<emulatorpin cpuset='[^']*'|<emulatorpin cpuset='4-5'|"
if can_partition; then left=0-3,7; else left=0-3,6-7; fi
life "emulator on 4-5" "$whole" $left
if can_partition; then
    check_equal "the scope is the partition" root "$(<"$(scope_of deck)/cpuset.cpus.partition")"
    check_equal "its vCPUs are where they are pinned" "4 5" \
        "$(allowed_cpus "$(vcpu deck 0)") $(allowed_cpus "$(vcpu deck 1)")"
fi
ends "emulator on 4-5"

echo "== holes in the vCPUs"
holes="<vcpu placement='static' current='2'>4</vcpu><vcpus>"
holes+="<vcpu id='0' enabled='yes' hotpluggable='no'/><vcpu id='1' enabled='no' hotpluggable='yes'/>"
holes+="<vcpu id='2' enabled='yes' hotpluggable='yes'/><vcpu id='3' enabled='no' hotpluggable='yes'/></vcpus>"
check "it is defined" change deck -e "s|<vcpu placement='static'>2</vcpu>|$holes|" -e "s|vcpupin vcpu='1'|vcpupin vcpu='2'|"
life "holes" "$each" 0-3,6-7
ends "holes"

echo "== a vCPU alone and one that shares"
check "it is defined" change deck "s|<vcpupin vcpu='0' cpuset='4'|<vcpupin vcpu='0' cpuset='6-7'|"
life "mixed" "$each" 0-4,6-7
ends "mixed"

echo "== whole cores"
# whole_cores VM: what stays idle beside which vCPUs, as the status tells.
whole_cores() {
    berth status --json | jq -r --arg name "$1" \
        '.holders[] | select(.name == $name) | .goals[] | select(.goal == "whole cores") | .reached, .missed[].way'
}
policy=/etc/berth/berth.toml
cp $policy /run/berth.toml
printf '\n[vm.deck]\ncpu.whole-cores = true\n' >>$policy
check "it is defined" change deck -e "s|<vcpupin vcpu='1' cpuset='5'|<vcpupin vcpu='1' cpuset='6'|" \
    -e "s|<emulatorpin cpuset='[^']*'|<emulatorpin cpuset='5'|" -e "s|iothread='1' cpuset='6'|iothread='1' cpuset='5'|"
life "whole cores" "$each" 0-3,5
check_equal "the emulator's own is not taken, and said not to be" \
    $'idle CPU 7 beside vCPU 1\nidle CPU 5 beside vCPU 0' "$(whole_cores deck)"
check_equal "its vCPUs are where they are pinned" "4 6" \
    "$(allowed_cpus "$(vcpu deck 0)") $(allowed_cpus "$(vcpu deck 1)")"
if can_partition; then check_equal "three CPUs are isolated" 4,6-7 "$(<$groups/cpuset.cpus.isolated)"; fi
ends "whole cores"
cp /run/berth.toml $policy

echo "== a VM that is pinned inside another one's CPUs"
define_vm skiff 64 5 7 6
check "it is defined" change deck "s|^||"
if can_partition; then
    check "deck starts" start_vm deck
    check_refused "its start is refused, and says by whom" 'vCPU 0 of skiff is pinned to CPU 5, which deck has to itself' \
        start_vm skiff
    printf '\n[vm.skiff]\nenabled = false\n' >>/etc/berth/berth.toml
    check "it needs no huge pages" change skiff '/<memoryBacking>/,/<.memoryBacking>/d'
    check_refused "without any wish of Berth it is told as well" 'which deck has to itself' start_vm skiff
    check_equal "deck is isolated still" "$each" "$(reached deck)"
    check "deck is destroyed" stop_vm deck
    check_restored "the host is as before it"
fi
virsh -q undefine skiff

echo "== slices, and whoever else is there"
printf '\n[vm.deck]\nisolation = "slices"\n' >>/etc/berth/berth.toml
systemd-run -q --slice=machine.slice --scope --unit=libpod-1 sleep 600 &
systemd-run -q --slice=render.slice --unit=render sleep 600
mkdir $groups/lxc.payload.web
sleep 600 &
echo $! >$groups/lxc.payload.web/cgroup.procs
check "a container's scope is there" wait_for 10 test -d $groups/machine.slice/libpod-1.scope
check "it is defined" change deck -e "s|<vcpupin vcpu='0' cpuset='4'|<vcpupin vcpu='0' cpuset='4-5'|"
life "slices" slices 0-3,6-7
for group in machine.slice/libpod-1.scope render.slice lxc.payload.web user.slice; do
    check_equal "$group is off the vCPUs' CPUs" 0-3,6-7 "$(<$groups/$group/cpuset.cpus.effective)"
done
check "it is destroyed" stop_vm deck
for group in machine.slice/libpod-1.scope render.slice lxc.payload.web user.slice; do
    effective=$groups/$group/cpuset.cpus.effective
    check "$group has all CPUs again" bash -c "[[ ! -e $effective || \$(<$effective) == $online ]]"
done
check "nothing is held any more" nothing_is_held
kill %1 %2 2>/dev/null
systemctl -q stop render.service
