#!/bin/bash
# The program is killed at, or refused, each system call that changes something: of a prepare, a release and a started.
# What follows must leave nothing behind. Every STRIDE-th call is tried; STRIDE=1 tries all, in half an hour.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

: "${STRIDE:=5}"
# A fork stands for a write that is made in a child: the caller is killed before it, and, by pidfd_open, beside it.
calls=write,renameat,unlinkat,fsync,mkdir,unlink,rmdir,sendmsg,sched_setaffinity,sched_setscheduler,clone,pidfd_open

# What faults may leave, in a moment's time; the snapshots at the end have all of it.
fingerprint() {
    {
        grep -H . $nodes/node*/$huge/nr_hugepages
        echo "$(driver_of $nic) $(<"/sys/bus/pci/devices/$nic/driver_override")"
        find /sys/fs/cgroup -name cpuset.cpus.exclusive -exec grep -H . {} +
        find /sys/fs/cgroup -name cpuset.cpus.partition -exec grep -HvE '^(member|root)$' {} +
        cat /proc/[0-9]*/task/*/status | awk -v online="$online" '
            $1 == "Name:" { name = $2 }
            $1 == "Cpus_allowed_list:" && $2 != online && name !~ /worker|^irq\// { print "task", name, $2 }
        ' | sort
        # The texts of locks that nobody holds say nothing, and that something has changed is soon looked at.
        find /run/berth -type f ! -name 'lock*' ! -name changed
    } >"$1" 2>/dev/null
}

as_before() {
    fingerprint /run/now
    diff /run/expected /run/now >/run/difference
}

# worker: who does the work in the trace, a child where the hook waits for one: who saves the ledger.
worker() { awk 'NR == 1 { self = $1 } /renameat\(/ { self = $1; exit } END { print self }' /run/trace; }

# list_calls VM OPERATION: a line "NAME N" for the worker's N-th call of that name, in the order in which they are made.
list_calls() {
    hook "$1" "$2" strace -f -qq -y -s 0 -o /run/trace -e trace=$calls >/dev/null 2>&1
    awk -v self="$(worker)" '
        $1 == self && match($2, /^[a-z_]+\(/) { name = substr($2, 1, RLENGTH - 1); print name, ++count[name] }
    ' /run/trace
}

# list_writes: the files that children of the worker wrote to. A count would be each child's own.
list_writes() {
    awk -v self="$(worker)" '$1 != self && /write\([0-9]+<\/sys/ { gsub(/^[^<]*<|>.*/, ""); print }' /run/trace | sort -u
}

# strike VM OPERATION FAULT PLACE N: the call with the fault; whether it was hit.
strike() {
    local fault=$3 place=$4 n=$5 where
    case $place in
        /*) where=(-P "$place" -e trace=write -e "inject=write:$fault") ;;
        *) where=(-e "trace=$place" -e "inject=$place:$fault:when=$n") ;;
    esac
    (hook "$1" "$2" timeout 60 strace -f -qq -o /run/trace "${where[@]}") >/run/said 2>&1
    status=$?
    if [[ $fault == signal=KILL ]]; then grep -q 'killed by SIGKILL' /run/trace; else grep -q INJECTED /run/trace; fi
}

holds() { [[ $(berth status --json | jq ".$1 | length") != 0 ]]; }
guards() { compgen -G '/run/systemd/transient/berth-*'; }
is_alive() { kill -0 "$pid"; }

# Each phase: what precedes it, and what is to follow a fault in it.
before_prepare() { :; }
after_prepare() {
    # A domain that may still be on its way is not dropped by itself.
    if holds holders; then berth release deck; fi
    berth reconcile
}

before_release() { hook deck prepare timeout 60 >/run/prepared 2>&1 || note "it could not be prepared" "$(</run/prepared)"; }
after_release() {
    if holds holders; then berth release deck; else berth reconcile; fi
}

before_started() { :; }
after_started() {
    berth reconcile
    berth status --json | jq -e 'all(.settings[]; .actual == .wanted)' >/dev/null || note "reconcile left work undone"
    is_alive || note "the VM is gone"
    if holds holders; then berth release sloop --even-running; fi
}

note() {
    ((++residues))
    echo "     $phase, $fault at $place $n: $1"
    # shellcheck disable=SC2001 # each line
    sed 's/^/       /' <<<"${2:-$(head -c 500 /run/said)}"
}

# faults VM PHASE FAULT
faults() {
    local vm=$1 phase=$2 fault=$3 places place n index=0 tried=0 missed=0 residues=0 timers=0 began=$SECONDS
    before_"$phase"
    mapfile -t places < <(list_calls "$vm" "$phase")
    [[ $fault == signal=KILL ]] || mapfile -t -O ${#places[@]} places < <(list_writes)
    check "$phase can be traced" test ${#places[@]} -gt 5
    after_"$phase" >/dev/null 2>&1
    for place in "${places[@]}"; do
        ((index++ % STRIDE == 0)) || continue
        read -r place n <<<"$place"
        before_"$phase"
        if strike "$vm" "$phase" "$fault" "$place" "$n"; then ((++tried)); else ((++missed)); fi
        if [[ $fault != signal=KILL && $phase != prepare && $status != 0 ]]; then note "the status was $status"; fi
        ((status != 124)) || note "it did not end"
        after_"$phase" >/run/followed 2>&1
        sed -n '/^     /p' /run/followed
        if ! wait_for 5 as_before; then
            note "is left" "$(cat /run/difference /run/followed)"
            cp /run/now /run/expected
        fi
        # A release that was killed leaves the timer, which finds nothing to do when it elapses.
        if ! wait_for 3 eval '! guards'; then
            ((++timers))
            systemctl stop 'berth-arrival-*'
        fi
    done
    echo "faults: $phase, $fault: ${#places[@]} calls, $tried tried, $missed not reached, $residues residues," \
        "$timers timers left to elapse, $((SECONDS - began)) s"
    check_equal "$phase, $fault: nothing is left" 0 "$residues"
    ((total += tried))
}

define_vm deck 64
define_vm sloop 64 4 5 6-7
# Only isolation, which may be given back while the VM runs.
sed -i '/<memoryBacking>/,/<\/memoryBacking>/d; /<numatune>/,/<\/numatune>/d' /run/sloop.xml
virsh -q define /run/sloop.xml
idle_guest sloop
start_witness
snapshot $results/before
check "Berth is installed" install_berth
total=0

fingerprint /run/expected
for fault in signal=KILL error=EIO; do
    for phase in prepare release; do faults deck $phase $fault; done
done
check_restored "after these faults the host is as before"

check "the VM starts" start_vm sloop || exit
pid=$(vm_pid sloop)
berth release sloop --even-running >/dev/null 2>&1
fingerprint /run/expected
for fault in signal=KILL error=EIO; do faults sloop started $fault; done
check "the VM still runs" is_alive
check "it is started once more" hook sloop started
check_equal "and has its CPUs to itself" 0-3,6-7 "$(host_cpus)"
check "it is destroyed" stop_vm sloop
check_restored "after all faults the host is as before"
echo "faults: $total tried with STRIDE=$STRIDE"
