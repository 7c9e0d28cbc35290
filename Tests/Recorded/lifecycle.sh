#!/bin/bash
# Plays the sample VM's life on the recorded workstation with the built binary, and compares every
# file of the host afterwards.
#
# usage: Tests/Recorded/lifecycle.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"

# same NAME FILE WANTED: a file of the recorded host has to hold the text.
same() { check_equal "$1" "$3" "$(cat "$root/$2")"; }

replay() { "$berth" replay gaming "$1" --libvirt "$hosts/gaming.xml" --root "$root" "${@:2}"; }
arrive() { "$berth" recorded enter "$hosts/two-node-workstation.gaming.host" "$root"; }
depart() { "$berth" recorded leave "$hosts/two-node-workstation.gaming.host" "$root"; }
pages=sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages

# next_start: what plan says of prepare and started.
next_start() {
  "$berth" plan --libvirt "$hosts/gaming.xml" --root "$root" | sed -n '/^prepare$/,/^release$/p'
}

fresh
check "a dry run plans the start" replay prepare --dry-run
unchanged "a dry run changes nothing"

# Without the devices of which a kernel would refuse to move the interrupts.
planned=$(next_start)
check "prepare makes the host ready" replay prepare
same "the pages are reserved on the VM's node" $pages 8192
check "the last check finds everything" replay start
sed 's/gaming/rival/; s/<uuid>7d3c/<uuid>8d3c/' "$hosts/gaming.xml" >"$stage/rival.xml"
said "a plan for the VM's card says who has it" 1 "gaming holds it at “vfio-pci, alone”" \
  "$berth" plan --libvirt "$stage/rival.xml" --root "$root"
said "a plan for the VM's CPUs says who has them" 1 "gaming is on CPUs 5-7,13-15 as well" \
  "$berth" plan --libvirt "$stage/rival.xml" --root "$root"
said "programs are told, too" 1 '"domain" : "gaming"' \
  "$berth" plan --libvirt "$stage/rival.xml" --root "$root" --json
said "a dry run of its start is refused alike" 1 "0000:41:00.0 is held by gaming" \
  "$berth" replay rival prepare --dry-run --libvirt "$stage/rival.xml" --root "$root"
said "a plan says what is given back" 0 "vfio-pci → nouveau" replay release --dry-run
check_equal "the plan of a VM that is prepared is that of its next start" "$planned" "$(next_start)"
said "and says that it is prepared" 0 "prepared and not running: the next start first restores the 3 settings" \
  "$berth" plan --libvirt "$hosts/gaming.xml" --root "$root"
check "QEMU finds what it needs" arrive
check "started settles the VM in" replay started
same "the root's tasks keep to the other CPUs" sys/fs/cgroup/cpuset.cpus.effective 0-4,8-12
check_equal "the plan of a VM that runs is that of its next start" "$planned" "$(next_start)"
said "and says that it runs" 0 "running, with 26 settings held" \
  "$berth" plan --libvirt "$hosts/gaming.xml" --root "$root"
check "reconnect finds nothing to repair" replay reconnect
check "status names the VM" sh -c "'$berth' status --root '$root' --json | grep -q '\"name\" *: *\"gaming\"'"
depart
check "stopped does nothing" replay stopped
check "release gives everything back" replay release
unchanged "after a whole life the host is as it was"

fresh
replay prepare >/dev/null
check "release without a start gives everything back" replay release
unchanged "after a failed start the host is as it was"

fresh
replay prepare >/dev/null
replay prepare >/dev/null
replay release >/dev/null
check "release twice does no harm" replay release
unchanged "after phases that came twice the host is as it was"

# Beside the VM: a unit by its alias, and commands, which the recorded host writes down.
fresh
mkdir -p "$root/recorded/units" "$root/usr/bin"
cat >"$root/etc/berth/berth.toml" <<'POLICY'
[vm."gaming"]
services.stop = ["display-manager", "dbus"]
commands = [{ run = ["/usr/bin/note", "on"], undo = ["/usr/bin/note", "off"], required = true }]
POLICY
echo active >"$root/recorded/units/gdm.service"
ln -s gdm.service "$root/recorded/units/display-manager.service"
echo active >"$root/recorded/units/dbus.service"
install -m 755 /dev/null "$root/usr/bin/note"
said "a plan tells of units and commands" 0 "/usr/bin/note on" replay prepare --dry-run
said "what the host needs is not stopped" 0 "dbus.service is not stopped" replay prepare
same "the unit is stopped, by its own name" recorded/units/gdm.service inactive
same "what the host needs goes on" recorded/units/dbus.service active
same "the command is run" recorded/runs "/usr/bin/note on"
replay prepare >/dev/null
replay release >/dev/null
check "release brings them back" replay release
same "the unit is active again" recorded/units/gdm.service active
same "each command is undone once" recorded/runs "$(printf '/usr/bin/note %s\n' on off on off)"
rm -rf "${root:?}"/{etc/berth/berth.toml,usr}
unchanged "after a life with units and commands the host is as it was"

fresh
mkdir -p "$root/etc/berth"
echo 60 >"$root/proc/sys/vm/swappiness"
cat >"$root/etc/berth/berth.toml" <<'POLICY'
[vm."gaming"]
settings = { "vm.swappiness" = 10 }
[vm."rival"]
settings = { "vm.swappiness" = 20 }
POLICY
replay prepare >/dev/null
sed '/<hostdev/,/<\/hostdev>/d' "$stage/rival.xml" >"$stage/quiet.xml"
said "a plan says who holds a sysctl, and at what" 0 "gaming holds it at “10”" \
  "$berth" plan --libvirt "$stage/quiet.xml" --root "$root"

fresh
sed 's/16777216/1677721600/' "$hosts/gaming.xml" >"$stage/huge.xml"
said "a VM larger than its node is refused with the reason" 1 "of memory in all" \
  "$berth" replay gaming prepare --libvirt "$stage/huge.xml" --root "$root"
unchanged "a refused start leaves nothing"

fresh
replay prepare >/dev/null
printf 'damaged' >"$root/run/berth/ledger"
said "a damaged ledger is reported" 1 "is damaged in line 1" replay release
check "a damaged ledger is kept" sh -c "ls '$root'/run/berth/ledger.damaged.*"

said "status goes on telling of it" 2 "what it names was not given back" \
  "$berth" status --root "$root"

fresh
replay prepare >/dev/null
said "a setting that nobody holds cannot be forced" 2 "no VM holds" \
  "$berth" release --force nonsense --root "$root"
echo nouveau >"$root/sys/bus/pci/devices/0000:41:00.0/driver_override"
said "a foreign change is shown" 1 "changed outside Berth" "$berth" status --root "$root"
check "the administrator's word is final" \
  "$berth" release --force "driver of 0000:41:00.0" --root "$root"
replay release >/dev/null
unchanged "after a forced release the host is as it was"

fresh
replay prepare >/dev/null
"$berth" recorded enter "$hosts/two-node-workstation.gaming.host" "$root" >/dev/null
replay started >/dev/null
said "a VM that runs is not released by mistake" 2 "--even-running" "$berth" release gaming --root "$root"
said "nor with all others" 2 "gaming runs" "$berth" release --all --root "$root"
said "and keeps all that it has" 0 "settings are in place" "$berth" status --root "$root"
said "it is where somebody says so" 1 "restored" "$berth" release gaming --even-running --root "$root"
said "but for the functions that it has open" 1 "is open in qemu-system-x86" "$berth" status --root "$root"
"$berth" recorded leave "$hosts/two-node-workstation.gaming.host" "$root" >/dev/null
said "which go back once it has closed them" 0 "→ nouveau" "$berth" reconcile --root "$root"
said "and then nothing is held" 0 "no VM holds anything" "$berth" status --root "$root"

said "malformed XML is an error with line and column" 2 "line 1" \
  sh -c "echo '<domain><name>x</domain>' | '$berth' inspect --libvirt -"
said "a step that does not exist is named" 2 "the phases are" replay prepaer
said "a domain that does not exist is named" 2 "give its XML with --libvirt" \
  "$berth" plan nobody --root "$root"
