#!/bin/bash
# A hook of one VM is stopped (SIGSTOP) at each of its locks and beside each of its slow writes, while another VM comes
# and goes and an administrator looks and reconciles: each of these ends in its time, the other VM is not refused for a
# lock that it does not need, and nobody does the stopped hook's work. Then it goes on and its VM starts, or it is killed
# and everything goes back. Every STRIDE-th point is tried (default 1).
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

: "${STRIDE:=1}"
policy=/etc/berth/berth.toml
pool=$nodes/node1/$huge/nr_hugepages
override=/sys/bus/pci/devices/$nic/driver_override
hold=/run/hold
trace=$hold/trace

# --- one hook that is traced ------------------------------------------------------------------------------------

# In the place of libvirt's hook: Berth, by way of strace where one phase of deck's is to be traced.
install_tracer() {
    mkdir -p $hold
    rm /etc/libvirt/hooks/qemu
    cat >/etc/libvirt/hooks/qemu <<'HOOK'
#!/bin/bash
how=/run/hold/$1-$2
[[ -e $how ]] || exec /usr/sbin/berth "$@"
mapfile -t arguments <"$how"
rm "$how"
exec strace -f -qq -y -o /run/hold/trace "${arguments[@]}" /usr/sbin/berth "$@"
HOOK
    chmod +x /etc/libvirt/hooks/qemu
}

# trace_next PHASE ARGUMENT…: strace's arguments for the next hook of that phase of deck's.
trace_next() {
    : >$trace
    printf '%s\n' "${@:2}" >"$hold/deck-$1"
}
is_stopped() { grep -q 'stopped by SIGSTOP' $trace; }
stopped_pid() { awk '/stopped by SIGSTOP/ { print $1; exit }' $trace; }
state_of() { awk '$1 == "State:" { print $2 }' "/proc/$1/status"; }

# list_points PHASE: a line "PHASE CALL N LOCK" for each lock that the trace has, where it was taken first and its holder
# has written into its file who it is, and for the first child that something is left to under each lock.
list_points() {
    awk -v phase="$1" '
        NR == 1 { self = $1 }
        $1 != self { next }
        { path = $0; sub(/^[^<]*</, "", path); sub(/>.*/, "", path); name = path; sub(/.*\//, "", name) }
        / pwrite64\(/ {
            ++locks
            if (path !~ /^\/run\/berth\/lock/) next
            held[name] = 1
            if (!seen[name]++) print phase, "pwrite64", locks, name
        }
        / close\(/ { delete held[name] }
        / pidfd_open\(/ {
            ++children; under = "none"
            for (name in held) if (under != "lock") under = name
            if (!left[under]++) print phase, "pidfd_open", children, under
        }
    ' $trace
}

# --- what others do meanwhile -----------------------------------------------------------------------------------

# What the stopped hook is at work on; nobody else may change it.
works() {
    echo "$(<$pool) pages, $(driver_of $nic) $(<"$override"), CPUs $(host_cpus)"
}

# in_time NAME SECONDS COMMAND…: it ends within that time, whatever it says of what it could do.
in_time() {
    local name=$1 seconds=$2 began=$SECONDS status=0
    shift 2
    timeout -k 1 "$seconds" "$@" >$hold/said 2>&1 || status=$?
    if ((status == 124 || status == 137)); then
        fail "$name" "it did not end within $seconds s"
    elif ((status == 126 || status == 127)); then
        fail "$name" "$(<$hold/said)"
    else
        ok "$name ($((SECONDS - began)) s)"
    fi
}

# look_and_reconcile LABEL
look_and_reconcile() {
    in_time "$1 berth status ends" 15 berth status
    in_time "$1 berth metrics ends" 15 berth metrics
    in_time "$1 berth reconcile ends" 45 berth reconcile
}

# pass_by LABEL [whole]: skiff comes and goes, which needs nothing of deck's; with QEMU, or its hooks alone.
pass_by() {
    local label=$1
    if [[ ${2:-} == whole ]]; then
        check "$label skiff starts" timeout 150 virsh -q start skiff
        check "$label skiff is destroyed" timeout 60 virsh -q destroy skiff
    else
        check "$label skiff is prepared" hook skiff prepare timeout 60
        check "$label and checked" hook skiff start timeout 60
        check "$label and leaves" hook skiff release timeout 60
    fi
}

# others LABEL LOCK [whole]
others() {
    local label=$1 lock=$2 before after
    before=$(works)
    look_and_reconcile "$label"
    case $lock in
        # All need the ledger: who has it is named, and nobody waits longer than policy lets him.
        lock)
            check_refused "$label skiff is refused, and told by whom" 'process [0-9]+, for deck' \
                hook skiff prepare timeout 60
            in_time "$label a release ends" 30 bash -c 'berth skiff release end - </run/skiff.xml'
            ;;
        lock.node1-*)
            pass_by "$label" "${3:-}"
            check_refused "$label sloop, which needs that pool, is told by whom it is held" 'process [0-9]+, for deck' \
                hook sloop prepare timeout 60
            ;;
        *) pass_by "$label" "${3:-}" ;;
    esac
    after=$(works)
    check_equal "$label nobody has done deck's work" "$before" "$after"
}

# --- the stopped hook -------------------------------------------------------------------------------------------

# stop_in PHASE CALL N: deck comes, or goes, and its hook of that phase stops at the N-th call.
stop_in() {
    local phase=$1 call=$2 n=$3
    if [[ $phase == release ]]; then
        check "$label deck starts" start_vm deck || return
    fi
    trace_next "$phase" -e "trace=$call" -e "inject=$call:signal=STOP:when=$n"
    if [[ $phase == release ]]; then stop_vm deck & else start_vm deck & fi >$hold/virsh 2>&1
    virsh_pid=$!
    check "$label it stops" wait_for 120 is_stopped || {
        wait "$virsh_pid"
        cat $hold/virsh
        return 1
    }
    pid=$(stopped_pid)
    echo "     process $pid is in state $(state_of "$pid") and has $(grep -c . $trace) calls behind it"
}

stands() {
    check_equal "$1 node 1 has deck's pages" 64 "$(<$pool)"
    check_equal "$1 the NIC is on vfio-pci" vfio-pci "$(driver_of $nic)"
    check_equal "$1 the host has CPUs 0-3,6-7" 0-3,6-7 "$(host_cpus)"
}

go_on() {
    local phase=$1 call=$2 n=$3 lock=$4 whole=''
    label="$phase, $call $n ($lock):"
    [[ $call != pwrite64 || $lock == lock ]] || whole=whole
    stop_in "$phase" "$call" "$n" || return
    others "$label" "$lock" $whole
    kill -CONT "$pid"
    wait "$virsh_pid"
    check_equal "$label once it goes on virsh succeeds" 0 $? || cat $hold/virsh
    if [[ $phase != release ]]; then
        check "$label deck runs" vm_is deck running && stands "$label"
        check "$label deck is destroyed" stop_vm deck
    fi
    check_restored "$label the host is as before" 60
}

end_it() {
    local phase=$1 call=$2 n=$3 lock=$4
    label="$phase, $call $n ($lock), killed:"
    stop_in "$phase" "$call" "$n" || return
    kill -KILL "$pid"
    wait "$virsh_pid"
    echo "     virsh ended with $?: $(tr '\n' ' ' <$hold/virsh)"
    if ! vm_is deck 'shut off'; then check "$label deck is destroyed" stop_vm deck; fi
    # Nobody calls Berth from here on.
    if ! check "$label all goes back by itself" wait_for 90 nothing_is_held; then
        berth_units | sed 's/^/     /'
        berth status | sed 's/^/     /'
        check "$label berth reconcile" berth reconcile
        nothing_is_held || check "$label berth release" berth release deck
    fi
    if ! wait_for 15 no_berth_units; then
        check "$label nobody but a timer stands by" only_arrival_timers
        ((++timers))
        berth reconcile >/dev/null
        check "$label which a reconcile takes away" wait_for 15 no_berth_units || berth_units
    fi
    check_restored "$label the host is as before" 60
}

define_vm deck 128
define_vm skiff 64 2 3 0,7
define_vm sloop 64 6 7 0,7
# Nothing that skiff wants is deck's, too.
sed -i "s/nodeset='1'/nodeset='0'/" /run/skiff.xml
virsh -q define /run/skiff.xml
for vm in deck skiff sloop; do idle_guest $vm; done
start_witness
snapshot $results/before
check "Berth is installed" install_berth
install_tracer
cat >>$policy <<'TOML'

[defaults]
budget.before-start = "15s"
budget.giving-back = "10s"

[vm.deck]
budget.before-start = "10m"
budget.running = "10m"
budget.giving-back = "10m"
TOML
check "the policy is right" berth config check

echo "== the points"
phases=(prepare start started)
points=()
for phase in "${phases[@]}"; do
    trace_next "$phase" -e trace=pwrite64,pidfd_open,close
    check "deck starts, $phase traced" start_vm deck
    mapfile -t -O ${#points[@]} points < <(list_points "$phase")
    if [[ $phase == "${phases[-1]}" ]]; then trace_next release -e trace=pwrite64,pidfd_open,close; fi
    check "deck is destroyed" stop_vm deck
done
mapfile -t -O ${#points[@]} points < <(list_points release)
check_restored "the host is as before"
printf '     %s\n' "${points[@]}"
check "there are points" test ${#points[@]} -gt 5

tried=0 timers=0
for index in "${!points[@]}"; do
    ((index % STRIDE == 0)) || continue
    read -r -a point <<<"${points[index]}"
    echo "== ${point[*]}"
    go_on "${point[@]}"
    end_it "${point[@]}"
    ((++tried))
done
echo "stopped: ${#points[@]} points, $tried tried with STRIDE=$STRIDE, each continued and killed; $timers timers left to elapse, in $SECONDS s"
