#!/bin/bash
# Three VMs with wishes that overlap, and a random storm for MINUTES: they start and end in every way, hooks, QEMU and
# libvirtd are killed at any moment, and berth reconcile runs in between. No start is refused but for what was killed,
# and when all are off the host is as before. SEED plays a storm's choices again, though not its moments.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

minutes=${MINUTES:-1}
seed=${SEED:-$RANDOM}
policy=/etc/berth/berth.toml
pool=$nodes/node1/$huge/nr_hugepages
vms=(deck skiff sloop)
# One line for each event, with the second after boot at which it was over.
log=/run/storm.log
# A domain that never arrives is given up after 10 minutes; a short storm does not wait for that.
patience=60
((minutes < 5)) || patience=700

now() { cut -d' ' -f1 /proc/uptime; }
note() { echo "$(now) $*" >>$log; }
one_of() { shift $((RANDOM % $#)) && echo "$1"; }
a_moment() { sleep "$((RANDOM % ${1:-3})).$((RANDOM % 10))"; }
seconds_left() { ((SECONDS < storm_end)); }

# --- what the VMs do --------------------------------------------------------------------------------------------

# sail VM: it comes and goes until the storm is over.
sail() {
    local vm=$1 began said
    while seconds_left; do
        a_moment
        began=$(now)
        if said=$(virsh -q start "$vm" 2>&1); then
            note "started $vm $began"
        elif [[ $said != *'already active'* && $said != *'already running'* ]]; then
            note "refused $vm $began ${said//$'\n'/ }"
        fi
        a_moment 8
        case $((RANDOM % 4)) in
            0 | 1) destroy "$vm" ;;
            2) kill_qemu "$vm" ;;
            # As a guest's poweroff: QEMU ends by itself.
            3) virsh qemu-monitor-command --hmp "$vm" quit >/dev/null 2>&1 && note "quit $vm" ;;
        esac
    done
}

destroy() { virsh -q destroy "$1" >/dev/null 2>&1 && note "destroyed $1"; }
kill_qemu() { kill -KILL "$(cat "/run/libvirt/qemu/$1.pid" 2>/dev/null)" 2>/dev/null && note "killed-qemu $1"; }

# --- what others do ---------------------------------------------------------------------------------------------

# The next hook that runs is killed at some moment of its life.
kill_hook() {
    local deadline=$((SECONDS + 4)) hooks hook
    until pgrep -f '^/etc/libvirt/hooks/qemu ' >/dev/null; do ((SECONDS < deadline)) || return; done
    sleep "0.$((RANDOM % 8))"
    mapfile -t hooks < <(pgrep -a -f '^/etc/libvirt/hooks/qemu ')
    ((${#hooks[@]})) || return
    hook=${hooks[RANDOM % ${#hooks[@]}]}
    kill -KILL "${hook%% *}" 2>/dev/null && note "killed-hook $(cut -d' ' -f3,4 <<<"$hook")"
}

kill_libvirtd() {
    note "killed-libvirtd $1"
    # With the hooks that it has called, or without.
    systemctl kill -s KILL --kill-who="$1" libvirtd
    bring_libvirtd_back
    note "back-libvirtd"
}
bring_libvirtd_back() {
    systemctl reset-failed libvirtd
    wait_for 60 systemctl start libvirtd && wait_for 60 virsh -q list
}

reconcile() {
    berth reconcile >/dev/null 2>&1 &
    [[ $1 == once ]] || berth reconcile >/dev/null 2>&1 &
    wait
    note "reconciled $1"
}

blow() {
    while seconds_left; do
        a_moment 4
        case $((RANDOM % 10)) in
            0 | 1 | 2 | 3) kill_hook ;;
            4 | 5) reconcile "$(one_of once twice)" ;;
            6) destroy "$(one_of "${vms[@]}")" ;;
            7 | 8) kill_qemu "$(one_of "${vms[@]}")" ;;
            9) kill_libvirtd "$(one_of main all)" ;;
        esac
    done
}

# --- what became of it ------------------------------------------------------------------------------------------

# happened_since SECOND UNTIL PATTERN: an event of the log that matches, at most a few seconds before or after.
happened_since() {
    awk -v from="$1" -v to="$2" -v pattern="$3" '
        $1 >= from - 5 && $1 <= to + 3 && substr($0, index($0, " ") + 1) ~ pattern { found = 1 }
        END { exit !found }' $log
}

# judge: of each start that failed, why; those that nothing excuses are failures.
judge() {
    local ended what vm began said
    while read -r ended what vm began said; do
        [[ $what == refused ]] || continue
        if [[ $said == *'fatal signal 9'* ]] || happened_since "$began" "$ended" "^killed-hook $vm "; then
            echo "a hook was killed"
        elif happened_since "$began" "$ended" '^(killed|back)-libvirtd'; then
            echo "libvirtd was killed"
        elif [[ $said != *berth* ]] && happened_since "$began" "$ended" "^(killed-qemu|destroyed) $vm\$"; then
            echo "QEMU was ended"
        else
            echo "nothing"
            echo "$ended: $vm, begun at $began: $said" >>/run/inexcusable
        fi
    done <$log
}

count() { grep -cE "^[0-9.]+ $1" $log; }
holders() { berth status --json | jq -r '.holders[].name'; }
all_are() {
    local state=$1 vm
    for vm in "${vms[@]}"; do vm_is "$vm" "$state" || return; done
}
is_in_place() { berth status --json | jq -e '.settings | length > 0 and all(.actual == .wanted)'; }
is_guarded() { compgen -G "/run/systemd/transient/berth-*-libvirt-$(virsh domuuid "$1" | head -1)*" >/dev/null; }

# stop_all: those that run are destroyed, and libvirt has called each hook when this is over.
stop_all() {
    local vm
    for vm in "${vms[@]}"; do vm_is "$vm" 'shut off' || destroy "$vm"; done
    wait_for 60 all_are 'shut off'
}

# wait_for_the_end SECONDS: until nothing is held, saying each minute what is waited for.
wait_for_the_end() {
    local deadline=$((SECONDS + $1))
    until wait_for 60 nothing_is_held; do
        ((SECONDS < deadline)) || return 1
        echo "     still held: $(holders | xargs); standing by: $(berth_units | cut -d' ' -f1 | xargs)"
    done
}

# check_over LABEL: nobody stands by any more, but for timers, which a reconcile takes away.
check_over() {
    wait_for 30 no_berth_units && return
    check "$1 only timers stand by" only_arrival_timers
    echo "storm: $1 $(berth_units | grep -c '\.timer') timers left to elapse"
    berth reconcile >/dev/null
    check "$1 which a reconcile takes away" wait_for 30 no_berth_units || berth_units | sed 's/^/     /'
}

define_vm deck 128 4 5 0,7
define_vm skiff 64 2 1 0,7
define_vm sloop 64 3 6 0,7
pass_nic deck
for vm in "${vms[@]}"; do idle_guest "$vm"; done
start_witness
snapshot $results/before
check "Berth is installed" install_berth
cat >>$policy <<'TOML'

[vm.deck.settings]
"vm.stat_interval" = 10
"kernel.numa_balancing" = 0

[vm.skiff.settings]
"vm.stat_interval" = 20

[vm.sloop.settings]
"kernel.numa_balancing" = 0
TOML
check "the policy is right" berth config check

echo "storm: seed $seed, $minutes min"
: >$log
: >/run/inexcusable
storm_end=$((SECONDS + 60 * minutes))
actors=()
for actor in 'sail deck' 'sail skiff' 'sail sloop' blow; do
    ((++seed))
    # shellcheck disable=SC2086 # a name and its argument
    (RANDOM=$seed && $actor) & actors+=($!)
done
for ((minute = 1; minute <= minutes; minute++)); do
    wait_for $((storm_end - SECONDS - 60 * (minutes - minute))) false
    echo "     minute $minute: $(count started) starts, $(count refused) refused, $(count killed) killed"
done
wait "${actors[@]}"
cp $log $results/storm.log
judge | sort | uniq -c >/run/reasons
echo "storm: $(count started) starts, $(count refused) refused$(sed 's/ *\([0-9]*\) \(.*\)/; \1 as \2/' /run/reasons |
    tr -d '\n'); $(count destroyed) destroyed, $(count quit) quit, killed: $(count killed-qemu) QEMU, $(count killed-hook) hooks," \
    "$(count killed-libvirtd) libvirtd; $(count reconciled) times reconciled"
cut -d' ' -f2,3,4 $log | grep killed-hook | sort | uniq -c | sed 's/^ */     /'
check_equal "no start was refused for nothing" '' "$(</run/inexcusable)"
check "some starts succeeded" test "$(count started)" -gt 0

echo "== after the storm"
check "libvirtd is there" bring_libvirtd_back
check "all are off" stop_all
mapfile -t left < <(holders)
for vm in "${left[@]}"; do
    echo "     $vm is off and still holds something"
    check "somebody stands by for $vm" wait_for 5 eval "is_guarded $vm || ! holders | grep -qx $vm"
done
if ((patience < 600)); then
    # What a start left that was killed with its daemon would go back by itself minutes later.
    for vm in "${left[@]}"; do berth release "$vm" >/dev/null; done
fi
check "all has gone back" wait_for_the_end $patience || {
    berth_units | sed 's/^/     /'
    berth status | sed 's/^/     /'
}
check_over "after the storm"
check_restored "after the storm the host is as before"

for vm in "${vms[@]}"; do check "$vm starts" start_vm "$vm"; done
check "all settings are in place" is_in_place
check_equal "node 1 has the pages of all" 128 "$(<$pool)"
check_equal "the host has CPUs 0,7" 0,7 "$(host_cpus)"
check_equal "the NIC is on vfio-pci" vfio-pci "$(driver_of $nic)"
check "all are destroyed" stop_all
check "nothing is held" wait_for 60 nothing_is_held
check_over "at the end"
check_restored "the host is as before"
check_equal "there is no ledger" '' "$(find /run/berth -name 'ledger*')"
