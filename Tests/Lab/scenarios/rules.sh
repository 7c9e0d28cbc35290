#!/bin/bash
# What the kernel answers to the writes that Berth lives by, compared with what is on record of this kernel: the recorded
# kernel has to answer the same, which Tests/RecordedTests/RulesTests.swift sees to. Berth is not installed.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

cgroups=/sys/fs/cgroup
here=/lab/scenarios/rules
version=$(uname -r | cut -d. -f1-2)
answers=$results/answers-$version
task=

# act PATH VALUE: writes, and says how it went.
act() {
    # shellcheck disable=SC2016 # it is Perl
    perl -MErrno -MFcntl -e '
        sub done { my ($name) = grep { $!{$_} } keys %!; print $name // "error $!", "\n"; exit }
        sysopen(my $file, $ARGV[0], O_WRONLY | O_TRUNC) or done();
        defined(syswrite($file, "$ARGV[1]\n")) or done();
        print "ok\n"' "$1" "$2"
}
path_of() { if [[ $1 == /* ]]; then echo "$1"; else echo "$cgroups/$1"; fi; }
task_of() { if [[ $1 == task ]]; then echo "$task"; else pgrep -x -o "$1"; fi; }
answer() { echo "    $1" >>"$answers"; }

rule() {
    end
    echo "$*" >>"$answers"
    echo "     $*"
    mkdir $cgroups/rules
    echo +cpuset >$cgroups/rules/cgroup.subtree_control
    mkdir $cgroups/rules/{a,b}
}
# What the last rule has left.
end() {
    local cpu
    [[ -z $task ]] || kill "$task" && wait "$task" 2>/dev/null
    task=
    for cpu in /sys/devices/system/cpu/cpu[0-9]*/online; do
        [[ $(<"$cpu") == 1 ]] || echo 1 >"$cpu"
    done
    [[ ! -d $cgroups/rules ]] || wait_for 10 rmdir $cgroups/rules/{a,b} $cgroups/rules
}
put() { answer "put $1 $2: $(act "$(path_of "$1")" "${2/#-/}")"; }
get() {
    local file text
    file=$(path_of "$1")
    if [[ -e $file ]]; then text=$(<"$file"); else text=ENOENT; fi
    answer "get $1: ${text:--}"
}
fewer() { answer "fewer $1 $2: $((($(<"$(path_of "$1")") > 0) && ($(<"$(path_of "$1")") < $2)))"; }
task() {
    sleep infinity &
    task=$!
    echo $task >"$cgroups/$1/cgroup.procs"
}
pin() {
    local said
    if said=$(taskset -pc "$2" "$(task_of "$1")" 2>&1); then
        answer "pin $1 $2: ok"
    elif [[ $said == *"Invalid argument"* ]]; then
        answer "pin $1 $2: EINVAL"
    else
        answer "pin $1 $2: ${said//$'\n'/ }"
    fi
}
# ranges LIST: as the kernel writes it, which has 0-1 where taskset has 0,1; "-" for none.
ranges() {
    # shellcheck disable=SC2016 # it is Perl
    perl -e '
        my @ranges;
        for my $cpu (map { /(\d+)-(\d+)/ ? $1 .. $2 : $_ } split /,/, $ARGV[0] // "") {
            if (@ranges && $ranges[-1][1] == $cpu - 1) { $ranges[-1][1] = $cpu }
            else { push @ranges, [$cpu, $cpu] }
        }
        print join(",", map { $_->[0] == $_->[1] ? $_->[0] : "$_->[0]-$_->[1]" } @ranges) || "-"' "$1"
}
pins() {
    local id text
    id=$(task_of "$1")
    text=$(ranges "$(taskset -pc "$id" | sed 's/.*: //')")
    [[ $1 == task ]] || text+=", status $(allowed_cpus "$id")"
    answer "pins $1: $text"
}
# Up to 6.9 cpusets hear of it a little later (cpuset_hotplug_work).
online() {
    echo "$2" >"/sys/devices/system/cpu/cpu$1/online"
    sleep 1
}

# Another unit's list keeps the controller on, whatever systemd does meanwhile.
check "the cpuset controller is on" start_witness
echo +cpuset >$cgroups/cgroup.subtree_control
rm -f "$answers"
while read -r -u 7 -a words; do
    [[ -z ${words[*]} || ${words[0]} == '#'* ]] || "${words[@]}"
done 7<$here/rules
end

# Each rule is a line without a margin and the answers below it.
known=$here/answers-$version differing=0 count=0
check "answers of Linux $version are on record" test -e "$known" || exit
part() { awk -v rule="$1" '/^[^ ]/ { here = $0 == rule } here' "$2" 2>/dev/null; }
while read -r rule; do
    ((++count))
    check_equal "$rule" "$(part "$rule" "$known")" "$(part "$rule" "$answers")" || ((++differing))
done < <(grep '^[^ ]' "$answers")
echo "rules: $count rules, $differing differ"
