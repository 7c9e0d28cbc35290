#!/bin/bash
# Two VMs come and go in all orders; then everybody else misbehaves while one is in: systemd is loaded anew, libvirtd and
# QEMU are killed, a hook is stuck, and the administrator changes what Berth holds.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

policy=/etc/berth/berth.toml
override=/sys/bus/pci/devices/$nic/driver_override
pool=$nodes/node1/$huge/nr_hugepages

# stands LABEL VM…: the host is what it is to be with just these in.
stands() {
    local label=$1 cpus pages
    case ${*:2} in
        deck) cpus=0-3,6-7 pages=64 ;;
        skiff) cpus=0-1,4-7 pages=32 ;;
        'deck skiff') cpus=0-1,6-7 pages=96 ;;
    esac
    check_equal "$label the host has CPUs $cpus" $cpus "$(host_cpus)"
    check_equal "$label node 1 has $pages pages" $pages "$(<$pool)"
    for vm in "${@:2}"; do check "$label $vm runs" vm_is "$vm" running; done
}

# play +VM -VM …: starts and stops, with a look at the host after each.
play() {
    local step steps=$* in=() began=$SECONDS
    for step; do
        case $step in
            +*) check "$steps: $step" start_vm "${step#?}" || return ;;
            -*) check "$steps: $step" stop_vm "${step#?}" ;;
        esac
        mapfile -t in < <(virsh list --name | grep . | sort)
        ((${#in[@]} == 0)) || stands "$steps: after $step" "${in[@]}"
    done
    check_restored "$steps: the host is as before"
    echo "     $((SECONDS - began)) s"
}

daemon_pid() { systemctl show -P MainPID libvirtd; }
kill_libvirtd() { kill -KILL "$(daemon_pid)"; }
bring_libvirtd_back() {
    systemctl start libvirtd
    wait_for 60 virsh -q list
}

guards() { systemctl list-units --all --plain --no-legend 'berth-arrival-*' 'berth-guard-*'; }
is_unguarded() { [[ -z $(guards) ]]; }
has_unit() { compgen -G "/run/systemd/transient/berth-$1"; }
is_held() { berth status --json | jq -e --arg name "$1" '.holders[] | select(.name == $name)'; }
# is_foreign PATTERN: the status tells that somebody else changed it.
is_foreign() {
    berth status --json | jq -e --arg pattern "$1" '.settings[] | select(.isForeign and (.title | test($pattern)))'
}
within() { timeout "$@"; }

# start_held_up OPERATION: libvirt waits in that operation's hook, after Berth; until go_on.
start_held_up() {
    touch "/run/hold-$1"
    start_vm deck >/dev/null 2>&1 &
    check "libvirt is in $1 of deck" wait_for 90 pgrep -f "qemu.d/hold deck $1 "
}
go_on() {
    rm -f /run/hold-*
    wait $!
}

define_vm deck 128
define_vm skiff 64 2 3 0,7
idle_guest deck
idle_guest skiff
start_witness
snapshot $results/before
check "Berth is installed" install_berth
mkdir -p /etc/libvirt/hooks/qemu.d
cat >/etc/libvirt/hooks/qemu.d/hold <<'HOOK'
#!/bin/sh
while [ -e "/run/hold-$2" ]; do sleep 0.2; done
HOOK
chmod +x /etc/libvirt/hooks/qemu.d/hold

echo "== overlapping"
# The first two have everything: who came first leaves first, and last. ORDERS= tells how many are played.
orders=(
    '+deck +skiff -deck -skiff'
    '+skiff +deck -deck -skiff'
    '+deck +skiff -skiff -deck'
    '+skiff +deck -skiff -deck'
    '+deck +skiff -deck +deck -skiff -deck'
)
for order in "${orders[@]:0:${ORDERS:-5}}"; do
    # shellcheck disable=SC2086 # an order is several words
    play $order
done

echo "== systemd, libvirtd and QEMU while a VM is in"
check "deck starts" start_vm deck || exit
pid=$(vm_pid deck)
check "a guard stands by" has_unit 'guard-libvirt-*.service'
check_equal "and no timer" "" "$(systemctl list-timers --all --no-legend 'berth-arrival-*')"
systemctl daemon-reload
stands "after daemon-reload" deck
systemctl daemon-reexec
wait_for 30 systemctl is-system-running || true
stands "after daemon-reexec" deck
kill_libvirtd
stands_by=$(guards)
check "libvirtd comes back" bring_libvirtd_back
check "and finds deck" wait_for 60 vm_is deck running
check_equal "with the same QEMU" "$pid" "$(vm_pid deck)"
check_equal "and the guard still stands by" "$stands_by" "$(guards)"
check "reconnect exits 0" hook deck reconnect
stands "after libvirtd was killed" deck
kill -KILL "$pid"
check "libvirt sees that QEMU was killed" wait_for 60 vm_is deck 'shut off'
check "no guard is left of it" wait_for 15 is_unguarded
check_restored "after QEMU was killed the host is as before"

check "deck starts again" start_vm deck || exit
systemctl -q stop libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service
kill -KILL "$(cat /run/libvirt/qemu/deck.pid)"
systemctl -q start libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket
check "libvirtd comes back" bring_libvirtd_back
check "and sees that QEMU died meanwhile" wait_for 60 vm_is deck 'shut off'
check_restored "after QEMU died without libvirtd the host is as before"

echo "== libvirtd killed in a start"
start_held_up prepare
kill_libvirtd
go_on
check "libvirtd comes back" bring_libvirtd_back
check "and knows of no running deck" vm_is deck 'shut off'
check "the guard's timer is set" grep -q arrival <<<"$(systemctl list-timers --all --no-legend 'berth-arrival-*')"
systemctl list-timers --all --no-legend 'berth-arrival-*' | sed 's/^/     /'
check "berth reconcile" berth reconcile
check "leaves a domain alone that may still arrive" is_held deck
check "the next start of deck takes over" start_vm deck
stands "then" deck
check "it is destroyed" stop_vm deck
check "no guard is left of it" wait_for 15 is_unguarded
check_restored "after libvirtd was killed in prepare the host is as before"

start_held_up start
kill_libvirtd
go_on
check "libvirtd comes back" bring_libvirtd_back
check "and knows of no running deck" vm_is deck 'shut off'
check "berth release" berth release deck
check "no guard is left of it" wait_for 15 is_unguarded
check_restored "after libvirtd was killed in start the host is as before"

start_held_up started
kill_libvirtd
go_on
check "libvirtd comes back" bring_libvirtd_back
echo "     deck is now: $(virsh domstate deck)"
if vm_is deck running; then
    stands "after libvirtd was killed in started" deck
    check "it is destroyed" stop_vm deck
fi
check "deck is off" wait_for 30 vm_is deck 'shut off'
check_restored "after libvirtd was killed in started the host is as before"

echo "== a stuck hook"
cp $policy /run/policy
printf '\n[defaults]\nbudget.before-start = "3s"\nbudget.giving-back = "2s"\n' >>$policy
hook deck prepare strace -f -qq -o /dev/null -e trace=renameat -e inject=renameat:signal=STOP:when=1 &
check "a hook is stuck" wait_for 30 grep -q deck /run/berth/lock
check_refused "the start of another VM is refused, and says by whom" 'process [0-9]+, for deck' within 60 virsh -q start skiff
check "the refused VM is off" vm_is skiff 'shut off'
check "a release waits no longer than it may, and exits 0" within 20 bash -c \
    'berth skiff release end - </run/skiff.xml'
kill -KILL "$(cut -d' ' -f1 /run/berth/lock)"
wait $! 2>/dev/null
if is_held deck >/dev/null; then berth release deck >/dev/null; fi
berth reconcile >/dev/null
check_restored "after the stuck hook the host is as before"

(exec 9>/run/berth/lock && flock 9 && exec sleep 120) &
holder=$!
check_refused "a lock that a stranger holds is named" '/run/berth/lock' within 60 virsh -q start skiff
kill $holder
wait $holder 2>/dev/null
check "without it the VM starts" start_vm skiff
check "it is destroyed" stop_vm skiff
cp /run/policy $policy
check_restored "after the stranger the host is as before"

echo "== an administrator changes what Berth holds"
check "deck starts" start_vm deck || exit
echo pci-stub >"$override"
echo $(($(<$pool) + 8)) >$pool
# By slices no setting is a partition.
partition=
if berth status --json | jq -e '.settings[] | select(.title | test("partition of vcpu0"))' >/dev/null; then
    partition=$(cgroup_of "$(vcpu deck 0)")/cpuset.cpus.partition
    echo member >"$partition"
fi
check "the status tells of the override" is_foreign "driver of $nic"
[[ -z $partition ]] || check "and of the partition, which he has put back" is_foreign 'partition of vcpu0'
berth status | grep -i 'outside Berth' | sed 's/^/     /'
check "it is destroyed" stop_vm deck
check_equal "the override is still the administrator's" pci-stub "$(<"$override")"
check_equal "and the pages that he added are there" 8 "$(<$pool)"
rebind $nic ""
echo 0 >$pool
check_restored "once he has taken both back the host is as before"

printf '\n[vm.skiff]\nisolation = "slices"\n' >>$policy
check "skiff starts, isolated by slices" start_vm skiff || exit
check_equal "system.slice has CPUs 0-1,4-7" 0-1,4-7 "$(</sys/fs/cgroup/system.slice/cpuset.cpus.effective)"
# Whoever watches the host's memory pressure has the kernel make a thread for it.
exec {pressure}<>/proc/pressure/memory
printf 'some 150000 1000000\n' >&$pressure
newborn=$(pgrep -n -x psimon)
systemctl set-property --runtime user.slice AllowedCPUs=0-1
check "the status tells of user.slice" is_foreign 'user.slice'
berth status | grep -i 'outside Berth' | sed 's/^/     /'
check "it is destroyed" stop_vm skiff
check_equal "user.slice is still as the administrator wants it" "AllowedCPUs=0-1" \
    "$(systemctl show -p AllowedCPUs user.slice)"
check_equal "and system.slice is given back" "$online" "$(</sys/fs/cgroup/system.slice/cpuset.cpus.effective)"
check "the journal tells of it" grep -q user.slice <<<"$(journalctl -t berth -p warning -q --no-pager)"
systemctl set-property --runtime user.slice "AllowedCPUs=$online"
systemctl set-property --runtime user.slice AllowedCPUs=
systemctl revert user.slice
check_equal "a thread of the kernel that was born meanwhile has all CPUs" "$online" "$(allowed_cpus "$newborn")"
exec {pressure}>&-
check_restored "once he has taken it back the host is as before"
