#!/bin/bash
# What each phase costs where systemd answers, beside Tests/Bench's two floors: C programs that make the same reads and
# writes, one of which asks systemd for the same by libsystemd.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

lives=${LIVES:-15}
bench=/root/bench
times=$bench/times
pid_file=/run/libvirt/qemu/bench.pid
pool=$nodes/node0/$huge/nr_hugepages
programs=(/usr/sbin/berth "$bench/floor" "$bench/floor-systemd")
phases=(ignored nothing prepare start started status stopped release)
last=$(($(nproc) - 1))

# play PHASE PROGRAM [COMMAND…]: the phase as libvirt would call it, by way of a command that runs it.
play() {
    local phase=$1 program=$2 xml=bench arguments
    shift 2
    case $phase in
        ignored) arguments=(bench migrate begin -) ;;
        nothing) xml=plain arguments=(plain prepare begin -) ;;
        status) arguments=(status) ;;
        stopped | release) arguments=(bench "$phase" end -) ;;
        *) arguments=(bench "$phase" begin -) ;;
    esac
    "$@" "$program" "${arguments[@]}" <$bench/$xml.xml >/dev/null
}

# The stand-in for QEMU, in a scope as libvirt's are.
arrive() {
    systemd-run -q --scope --slice=machine.slice --unit='machine-qemu\x2d9\x2dbench' \
        $bench/qemu-system-x86_64 -name guest=bench,debug-threads=on -pidfile $pid_file &
    guest=$!
    wait_for 30 test -s $pid_file
}

guards_are_over() { [[ -z $(systemctl list-units --all --plain --no-legend 'berth-guard-*' 'floor-guard*') ]]; }
# What the guards run when the scope ends would be measured with what comes next.
depart() {
    kill -KILL "$(<$pid_file)"
    wait "$guest" 2>/dev/null
    wait_for 30 guards_are_over
}

# live PROGRAM COMMAND…: a whole life, each phase by way of the command; fails where a phase, which $phase names then, did
# not do its work.
live() {
    local program=$1
    shift
    for phase in "${phases[@]}"; do
        case $phase in
            started) arrive || return ;;
            stopped) depart || return ;;
            # libvirt removes it in the last step before it calls the hook.
            release) rm -f $pid_file ;;
        esac
        play "$phase" "$program" "$@" || return
        case $phase in
            prepare) [[ $(<$pool) == 64 ]] || return ;;
            started) [[ $(allowed_cpus "$(thread "$(<$pid_file)" 'CPU 1/')") == "$last" ]] || return ;;
            release) [[ $(<$pool) == 0 && ! -e /run/berth/ledger ]] || return ;;
        esac
    done
}

# timed, traced COMMAND…: puts what it cost into a file of the program's and the phase's.
timed() { $bench/measure "$times/${1##*/}-$phase" "$@"; }
traced() {
    strace -f -qq -e signal=none -o $bench/trace "$@" || return
    wc -l <$bench/trace >"$times/${1##*/}-$phase-calls"
}

# median FILE COLUMN: of microseconds, in milliseconds.
median() {
    awk -v column="$2" '{ print $column }' "$times/$1" | sort -n |
        awk '{ all[NR] = $1 } END { printf "%.2f\n", (all[int((NR + 1) / 2)] + all[int(NR / 2) + 1]) / 2000 }'
}
ratio() { awk "BEGIN { printf \"%.1f\", $1 / $2 }"; }

print_table() {
    local phase program column row times_of
    echo "$(systemctl --version | head -1), kernel $(uname -r), medians of $lives lives"
    echo
    echo "| phase | Berth ms | floor ms | × | with systemd ms | × | Berth CPU ms | floor | × | with systemd | × | calls |" \
        "floor | with systemd |"
    echo "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for phase in "${phases[@]}"; do
        row="| $phase |"
        for column in 1 2; do
            mapfile -t times_of < <(for program in "${programs[@]}"; do median "${program##*/}-$phase" $column; done)
            row+=" ${times_of[0]} | ${times_of[1]} | $(ratio "${times_of[0]}" "${times_of[1]}") |"
            row+=" ${times_of[2]} | $(ratio "${times_of[0]}" "${times_of[2]}") |"
        done
        for program in "${programs[@]}"; do row+=" $(<"$times/${program##*/}-$phase-calls") |"; done
        echo "$row"
    done
}

# A program on the share would be read by way of 9p.
cp -r /lab/bench $bench
mkdir -p $times /run/libvirt/qemu
check "Berth is installed" install_berth || exit
sed "s/@LAST@/$last/g" $bench/policy.toml >>/etc/berth/berth.toml
check "the policy is sound" berth config check || exit
start_witness
snapshot $results/before

for program in "${programs[@]}"; do
    # The first life warms the caches, and is traced.
    check "${program##*/} does its work in each phase" live "$program" traced || exit
done
for ((life = 1; life <= lives; life++)); do
    echo "life $life of $lives"
    for program in "${programs[@]}"; do
        live "$program" timed || fail "${program##*/} does its work in life $life" "$phase failed" || exit
    done
done
ok "$lives lives of each program"
print_table | tee $results/bench.md
rm -rf /run/berth-floor
check_restored "the host is as before" 60
