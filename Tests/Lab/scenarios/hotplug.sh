#!/bin/bash
# CPUs of an isolated VM go offline and come back, and the host sleeps with the VM in: what the kernel changed by that is
# repaired, by what install.sh has placed, and what somebody else changed meanwhile is left alone.
#
# It ends with the machine: sleep breaks the folder that is shared with it (9pnet_virtio has nothing to resume it), so
# that nothing of /lab is read or written after that.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

cpus=/sys/devices/system/cpu
flag=/run/berth/cpu-online
rule=/usr/lib/udev/rules.d/90-berth.rules

set_cpus() {
    local cpu
    for cpu in "${@:2}"; do echo "$1" >"$cpus/cpu$cpu/online"; done
}
partition() { echo "$(cgroup_of "$(vcpu deck "$1")")/cpuset.cpus.partition"; }
# is_isolated CPUS: these are, and both vCPUs' partitions are valid.
is_isolated() {
    [[ $(</sys/fs/cgroup/cpuset.cpus.isolated) == "$1" && $(<"$(partition 0)") == isolated &&
        $(<"$(partition 1)") == isolated ]]
}
# The interrupts of the host that had CPUs of deck's node alone: Berth has left them 6 and 7.
masks() {
    local irq
    for irq in "${narrow[@]}"; do cat "/proc/irq/$irq/smp_affinity_list"; done | sort -u
}
masks_are() { [[ $(masks) == "$1" ]]; }
runs() { journalctl -u berth-reconcile.service -q --no-pager -o cat | grep -c '^Starting\|^Finished' || true; }
is_idle() { ! systemctl -q is-active berth-reconcile.service && [[ ! -e $flag ]]; }
slept() { (($(</sys/power/suspend_stats/success) > $1)); }

# What somebody has decided stands, however often Berth repairs.
check_decisions() {
    check_equal "$1: a value that the administrator has changed is left alone" 7 "$(</proc/sys/vm/stat_interval)"
    check_equal "$1: one that he has put back, too" "$balancing" "$(</proc/sys/kernel/numa_balancing)"
}

go_offline() {
    echo "== a CPU goes offline and comes back"
    systemctl stop berth-reconcile.path
    set_cpus 0 5
    check "its partition is invalid" grep -q '^isolated invalid' "$(partition 1)"
    berth status >$results/status
    check "the status says that it was the kernel" grep -q 'the kernel has switched the isolation off' $results/status
    check "and of nobody else" bash -c "! grep -q 'partition.*outside Berth' $results/status"
    set_cpus 1 5
    check "the CPU's return is noticed" wait_for 20 test -e $flag
    check "its partition is still invalid" grep -q '^isolated invalid' "$(partition 1)"
    systemctl start berth-reconcile.path
    check "its partition is isolated again" wait_for 60 is_isolated 4-5
    check_equal "the vCPU has its CPU" 5 "$(allowed_cpus "$(vcpu deck 1)")"
    check_decisions "one CPU"

    echo "== Berth repairs while the CPU is offline"
    check "nothing runs" wait_for 20 is_idle
    set_cpus 0 4
    check "berth reconcile" berth reconcile
    check_equal "the partition is made without its CPU" isolated "$(<"$(partition 0)")"
    set_cpus 1 4
    check "both CPUs are isolated once it is back" wait_for 60 is_isolated 4-5
    check_equal "the vCPU has its CPU" 4 "$(allowed_cpus "$(vcpu deck 0)")"

    echo "== all CPUs of the node"
    check "nothing runs" wait_for 20 is_idle
    local before
    before=$(runs)
    set_cpus 0 6 7 4 5
    check_equal "the interrupts that had no other CPU go anywhere" 0-5 "$(masks)"
    set_cpus 1 4 5 6 7
    check "both partitions are isolated again" wait_for 60 is_isolated 4-5
    check "the interrupts are back" wait_for 60 masks_are 6-7
    check "nothing runs any more" wait_for 20 is_idle
    local runs=$((($(runs) - before) / 2))
    check "for four CPUs it ran at most twice ($runs)" test $runs -ge 1 -a $runs -le 2
    check_decisions "all CPUs"
}

fall_asleep() {
    echo "== the host sleeps"
    local before slept
    before=$(runs)
    slept=$(</sys/power/suspend_stats/success)
    # On a busy machine it takes that long to fall asleep, and an alarm before that wakes nobody.
    rtcwake -m no -s 40 >/dev/null
    systemctl suspend
    check "it has slept" wait_for 200 slept "$slept" || return
    check "it was repaired afterwards" wait_for 120 eval "((\$(runs) >= $before + 2))"
    check "both partitions are isolated" wait_for 30 is_isolated 4-5
    check "the interrupts are back" wait_for 60 masks_are 6-7
    check_decisions "sleep"
}

leave() {
    check "deck is destroyed" stop_vm deck
    check_equal "what the administrator has changed stands" 7 "$(</proc/sys/vm/stat_interval)"
    sysctl -q "vm.stat_interval=$interval"
    check_restored "once he has taken it back the host is as before"
    check "Berth is uninstalled" bash -c "cd /root/lab && ./install.sh --uninstall"
    check_equal "nothing of what repaired is left" "" \
        "$(find /usr/lib/systemd /etc/systemd /usr/lib/udev/rules.d -name '*berth*' ! -name 'berth-lab*')"
    check_refused "and systemd has forgotten it" 'not loaded|not found' systemctl start berth-reconcile.service
}

main() {
    check "Berth is installed" bash -c "cd /root/lab && ./install.sh --binary /root/lab/berth"
    for unit in service path; do
        check "berth-reconcile.$unit is enabled" systemctl -q is-enabled berth-reconcile.$unit
    done
    check "what waits for CPUs runs" systemctl -q is-active berth-reconcile.path
    check "there is a rule" test -e $rule
    # It has the same service run, whose runs are counted here.
    systemctl stop berth-live.path
    cat >>/etc/berth/berth.toml <<TOML

[vm.deck.settings]
"vm.stat_interval" = 10
"kernel.numa_balancing" = $((1 - balancing))
TOML
    check "deck starts" start_vm deck || return
    check "it is isolated" is_isolated 4-5 || return
    check_equal "the host's interrupts have left its CPUs" 6-7 "$(masks)"
    sysctl -q vm.stat_interval=7 kernel.numa_balancing="$balancing"
    go_offline
    journalctl -b --no-pager >/lab/results/journal-awake
    if grep -qw mem /sys/power/state; then
        fall_asleep
    else
        echo "     this machine cannot sleep: /sys/power/state offers $(</sys/power/state)"
    fi
    leave
}

cp -r /lab /root/lab
results=/root/results
mkdir -p $results
define_vm deck 128 4 5 6-7
idle_guest deck
start_witness
interval=$(</proc/sys/vm/stat_interval) balancing=$(</proc/sys/kernel/numa_balancing)
narrow=()
for irq in /proc/irq/[0-9]*; do
    [[ $(stat -c %A "$irq/smp_affinity_list") == *w* && $(<"$irq/smp_affinity_list") == 4-7 ]] || continue
    narrow+=("${irq##*/}")
done
snapshot $results/before
# As one command, which is read to its end before it begins.
{
    main
    journalctl -b --no-pager >$results/journal
    grep -c . $results/journal >/dev/null
    echo "lab: scenario ended"
    # Waits until all of it has been said.
    stty -F /dev/ttyS1 raw
    sleep 3
    echo o >/proc/sysrq-trigger
    sleep 60
}
