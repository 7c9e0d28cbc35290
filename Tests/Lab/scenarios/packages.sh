#!/bin/bash
# What somebody does who has the package and a VM: installs it, asks doctor and plan, starts the VM, upgrades and removes
# while the VM runs, stops it, purges. Nothing of a running VM is taken apart, and nothing is left in the end.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

name=deck
hook=/etc/libvirt/hooks/qemu
ledger=/run/berth/ledger
prom=/var/lib/prometheus/node-exporter
export DEBIAN_FRONTEND=noninteractive

# apt ARGUMENT…: what it says is in $said, and how it ends is the function's status.
apt() { said=$(apt-get -q -y -o APT::Sandbox::User=root "$@" 2>&1 </dev/null); }
# does LABEL WORDS ARGUMENT…: apt succeeds and says the words.
does() {
    if apt "${@:3}" && [[ $said == *"$2"* ]]; then ok "$1"; else fail "$1" "$said"; fi
}
# refuses LABEL WORDS ARGUMENT…: apt fails and says the words.
refuses() {
    if ! apt "${@:3}" && [[ $said == *"$2"* ]]; then ok "$1"; else fail "$1" "$said"; fi
    grep -E '^berth|Berth stays' <<<"$said" | sed 's/^/     /'
}
package_is() { check_equal "$1" "$2" "$(dpkg-query -W -f '${db:Status-Status} ${Version}' berth 2>/dev/null)"; }
# Where one is not in place, it is shown.
is_in_place() {
    local status
    status=$(berth status --json)
    jq -e '.settings | length > 0 and all(.actual == .wanted)' <<<"$status" ||
        { jq -c '.settings[] | select(.actual != .wanted)' <<<"$status"; return 1; }
}
units_wait() { systemctl is-active -q berth-live.path && systemctl is-active -q berth-reconcile.path; }
# Everything of Berth's that systemd has, one a line; berth-lab is the lab's. A name that somebody has asked for is listed
# for a while, without a file.
units() { systemctl list-units --all --plain --no-legend 'berth-*' | grep -vE '^berth-lab\.| not-found '; }
no_units() { [[ -z $(units) ]]; }
findings() { berth doctor --json | jq -c "[.findings[].check]"; }

# Each file, folder and link of the host, but for what dpkg, apt and libvirt keep of their own work.
files() {
    find / -xdev \( -path /tmp -o -path /var/tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/dpkg -o \
        -path /var/lib/apt -o -path /var/lib/libvirt -o -path /etc/libvirt/qemu -o -path /etc/apparmor.d/libvirt -o \
        -path /root -o -path /lab -o -path /run -o -path /var/lib/systemd/timers -o -path /var/lib/logrotate \) -prune -o \
        -printf '%y %m %U:%G %p %l\n' | sort
}
# What the VM has of the host, without what Berth keeps of it and tasks that come and go.
host_alone() {
    snapshot "$1.all"
    grep -vE '^(/run/berth|/run/systemd/transient/berth-|/sys/fs/cgroup/system.slice/berth-|\{)' "$1.all" |
        grep -vE '^task (berth|worker|apt|dpkg|awk|xargs|cat|sed|sort|printf|bash|sh|sleep) ' >"$1"
}
# untouched LABEL: the VM and what it has are as when it was started.
untouched() {
    check_equal "$1 the VM runs on" "$pid" "$(pgrep -f "guest=$name")"
    host_alone $results/now
    check_equal "$1 the host is as it was" '' "$(diff $results/in $results/now)"
    check "$1 all settings are in place" is_in_place
    check_equal "$1 the ledger is the same" "$sum" "$(sha256sum <$ledger)"
    check_equal "$1 berth status ends with 0" 0 "$(berth status >/dev/null 2>&1; echo $?)"
    check_equal "$1 the hook is linked" /usr/sbin/berth "$(readlink $hook)"
    check "$1 systemd waits for what changes" units_wait
}
# starts LABEL: the VM, with what untouched compares with.
starts() {
    check "$1" start_vm $name || return
    pid=$(vm_pid $name)
    sum=$(sha256sum <$ledger)
    host_alone $results/in
    check "it has all it needs" is_in_place
}

define_vm $name 256
idle_guest $name
start_witness
snapshot $results/before
files >$results/files-before

# --- the first five minutes ---
does "the package is installed" "linked $hook" install /lab/packages/old/berth_*.deb || exit
grep -vE '^(Reading|Building|Selecting|Preparing|Unpacking|\(Reading)' <<<"$said" | sed 's/^/     /'
version=$(berth version)
package_is "dpkg has it" "installed $version"
check_restored "installing changed nothing"
check "systemd waits for what changes" units_wait
check_equal "the timer of metrics is the administrator's" disabled "$(systemctl is-enabled berth-metrics.timer)"
check "there is a manual" test -e /usr/share/man/man8/berth.8.gz
check_equal "list has the VM" "deck libvirt yes" "$(berth list | awk '$1 == "deck" { print $1, $2, $3 }')"
check_equal "doctor finds nothing but the guest's cores" '["guest-topology"]' "$(findings)" ||
    berth doctor $name | sed 's/^/     /'
check "plan says that it will start" eval "berth plan $name >$results/plan"
check "and what for the NIC" grep -q "driver of $nic.*igb → vfio-pci" $results/plan
mkdir -p $prom
check "the timer of metrics is enabled" systemctl enable -q --now berth-metrics.timer
starts "the VM starts" || exit
check "metrics tell of it" wait_for 60 grep -q '^berth_domains 1$' $prom/berth.prom
berth status | sed 's/^/     /'
untouched "before:"

# --- upgraded ---
does "it is upgraded while the VM runs" "Setting up berth (99.0)" install /lab/packages/new/berth_*.deb
package_is "dpkg has the new one" "installed 99.0"
untouched "upgraded:"
check "berth reconcile" berth reconcile
untouched "reconciled:"
check_equal "the timer of metrics goes on" active "$(systemctl is-active berth-metrics.timer)"

# --- removed while the VM runs ---
refuses "it is not removed while the VM runs" "Berth stays installed" remove berth
check "the VM is named" grep -q "$name runs" <<<"$said"
package_is "dpkg still has it" "installed 99.0"
untouched "not removed:"
refuses "nor purged" "Berth stays installed" purge berth
package_is "nor does dpkg think so" "installed 99.0"
untouched "not purged:"
check "the VM stops" stop_vm $name
check_restored "the host is as before"
check "nobody stands by" wait_for 60 no_berth_units

# --- removed ---
does "then it is removed" "removed $hook" remove berth
package_is "its configuration stays" "config-files 99.0"
check_restored "the host is as before without it"
check "none of its units is left" wait_for 20 no_units || units
check "no program is left" test ! -e /usr/sbin/berth
check "no stale metrics are left" test ! -e $prom/berth.prom
check_refused "without it the VM does not start" 'hugepages|huge pages|allocate memory|detached|VFIO|vfio' start_vm $name
check_restored "which changes nothing"

check_equal "Berth has warned of nothing" '' "$(journalctl -t berth -p warning -q --no-pager -o cat)"

# --- told to go, whatever runs ---
echo '# mine' >>/etc/berth/berth.toml
does "it is installed again" "linked $hook" install /lab/packages/old/berth_*.deb
check "the policy is the administrator's" grep -q '^# mine' /etc/berth/berth.toml
starts "the VM starts again" || exit
berth release --all --even-running >$results/released 2>&1
echo "     it ended with $?"
sed 's/^/     /' $results/released
check_equal "what is released while the VM runs leaves it running" "$pid" "$(pgrep -f "guest=$name")"
if apt remove berth; then
    ok "it is removed beside the VM"
    package_is "only its configuration stays" "config-files $version"
else
    fail "it is removed beside the VM" "$said"
fi
check_equal "the VM runs on" "$pid" "$(pgrep -f "guest=$name")"
check "it stops" stop_vm $name
if [[ -e /usr/sbin/berth ]]; then
    check "what is left is given back" wait_for 60 nothing_is_held
    does "then it is removed" "removed $hook" remove berth
fi
check_restored "the host is as before all"

# --- nothing is left ---
does "it is purged" "Purging" purge berth
rmdir -p $prom 2>/dev/null
check "none of its units is left" wait_for 20 no_units || units
files >$results/files-after
check_equal "no file, folder or link is left" '' "$(diff $results/files-before $results/files-after)"
check_equal "nor anything in /run" '' "$(find /run -xdev -name '*berth*' ! -path '/run/udev/*' ! -path '*berth-lab*')"
check_restored "the host is as before all"
