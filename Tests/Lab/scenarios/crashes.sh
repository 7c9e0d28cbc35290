#!/bin/bash
# Hooks of a VM are ended by each signal that a fault of Berth's own may raise, at calls spread over their work. A VM that
# runs lives on, and so does one that comes back under its hypervisor; a start is refused in one sentence; what was taken
# goes back by itself, and the journal tells of each.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

: "${SIGNALS:=ILL TRAP SEGV BUS ABRT XCPU TERM}"
hold=/run/hold
trace=$hold/trace
pool=$nodes/node1/$huge/nr_hugepages

# In the place of libvirt's hook: Berth, by way of strace where one phase of deck's is to be struck.
install_striker() {
    mkdir -p $hold
    rm /etc/libvirt/hooks/qemu
    cat >/etc/libvirt/hooks/qemu <<'HOOK'
#!/bin/bash
how=/run/hold/$1-$2
[[ -e $how ]] || exec /usr/sbin/berth "$@"
mapfile -t arguments <"$how"
rm "$how"
exec strace -f -qq -o /run/hold/trace "${arguments[@]}" /usr/sbin/berth "$@"
HOOK
    chmod +x /etc/libvirt/hooks/qemu
}

# count_calls PHASE: how many files the process opens that does the work of that hook of deck's.
count_calls() { printf '%s\n' -e trace=openat >"$hold/deck-$1"; }
counted() { grep openat $trace | cut -d' ' -f1 | sort | uniq -c | sort -rn | awk '{ print $1; exit }'; }

# strike_next PHASE SIGNAL N: of the next hook of that phase of deck's, the process gets the signal that opens its N-th file.
strike_next() {
    : >$trace
    printf '%s\n' -e trace=openat -e "inject=openat:signal=$2:when=$3" >"$hold/deck-$1"
}

# journal_tells PHASE SIGNAL
journal_tells() {
    journalctl -q -b --output=cat -t berth --since="$since" | grep "stopped in $1 by SIG$2 .*SHA-256 [0-9a-f]\{64\}"
}
looked_again() { [[ ! -e /run/berth/crashed ]]; }
is_isolated() { [[ $(host_cpus) == 0-3,6-7 ]]; }

# told LABEL PHASE SIGNAL
told() {
    check "$1 the hook was struck" grep -q "SIG$3" $trace
    check "$1 the journal tells of it, with the digest of the XML" wait_for 10 journal_tells "$2" "$3"
    check "$1 somebody looks again" wait_for 30 looked_again
}

begin() { since=$(date '+%F %T'); }

# strike_reconnect SIGNAL SHARE: the same at once, at that share in a hundred of the files that it opens now; where it ends
# before, as it may have less to do, at an earlier one.
strike_reconnect() {
    local n
    hook deck reconnect strace -f -qq -o $trace -e trace=openat || return
    n=$(($(counted) * $2 / 100))
    until : >$trace
        hook deck reconnect strace -f -qq -o $trace -e trace=openat -e "inject=openat:signal=$1:when=$n" || return
        grep -q "SIG$1" $trace; do
        n=$((n * 3 / 4))
        ((n > 0)) || return
    done
}

# strike_running SIGNAL SHARE
strike_running() {
    local signal=$1 share=$2 n=$((started * $2 / 100)) pid label
    label="started, SIG$1 at file $n:"
    begin
    strike_next started "$signal" "$n"
    check "$label deck starts" start_vm deck || return
    told "$label" started "$signal"
    check "$label deck runs" vm_is deck running
    pid=$(vm_pid deck)

    label="reconnect, SIG$signal after $share % of its files:"
    begin
    check "$label the hook ends with 0" strike_reconnect "$signal" "$share"
    told "$label" reconnect "$signal"
    check "$label deck runs in the same process" test "$(vm_pid deck)" = "$pid" -a -d "/proc/$pid"

    check "the next event of deck's puts all in place" hook deck reconnect
    check "and its CPUs are its own" is_isolated

    label="release, SIG$signal:"
    begin
    strike_next release "$signal" $((released / 2))
    check "$label deck is destroyed" stop_vm deck
    told "$label" release "$signal"
    check "$label all goes back by itself" wait_for 120 nothing_is_held || berth status
    check_restored "$label the host is as before" 60
}

refuse_start() {
    local signal=$1 n=$2 label="prepare, SIG$1 at file $2:"
    begin
    strike_next prepare "$signal" "$n"
    check_refused "$label the start is refused" "Berth was stopped in prepare by SIG$signal .*the VM does not start" start_vm deck
    told "$label" prepare "$signal"
    check "$label all goes back by itself" wait_for 120 nothing_is_held || berth status
    check_restored "$label the host is as before" 60
}

define_vm deck 128
idle_guest deck
start_witness
snapshot $results/before
check "Berth is installed" install_berth
install_striker

echo "== the calls"
count_calls prepare
check "deck starts, prepare traced" start_vm deck || exit
prepared=$(counted)
check_equal "it has its pages" 64 "$(<$pool)"
check "deck is destroyed" stop_vm deck
count_calls started
check "deck starts, started traced" start_vm deck || exit
started=$(counted)
count_calls release
check "deck is destroyed, release traced" stop_vm deck
released=$(counted)
echo "     $prepared files in prepare, $started in started, $released in release"
check_restored "the host is as before"

read -r -a signals <<<"$SIGNALS"
for index in "${!signals[@]}"; do
    echo "== SIG${signals[index]}"
    # From the first quarter to the last file: what is read before the input is no part of the work.
    share=$((25 + 75 * index / ${#signals[@]}))
    strike_running "${signals[index]}" $share
    refuse_start "${signals[index]}" $((prepared * share / 100))
done
echo "== SIGKILL"
# Where the work is well under way: it kills the child that does it, as the kernel without memory would.
strike_running KILL 70
check "no unit of Berth's is left" wait_for 30 no_berth_units || berth_units
echo "crashes: ${#signals[@]} signals in four phases and SIGKILL in three, in $SECONDS s"
