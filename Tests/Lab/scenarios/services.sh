#!/bin/bash
# What happens beside a VM: services are stopped and started again, commands are run and undone once, the host stays
# awake, and another VM makes room; however the VM ends.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

notes=/run/lab-notes
said() { tr '\n' ',' <$notes; }
notes_are() { [[ $(said) == "$1" ]]; }
unit_is() { [[ $(systemctl is-active "$1") == "$2" ]]; }
awake() { systemd-inhibit --list --no-legend --no-pager | grep "berth.*sleep:idle"; }
own_units() { systemctl list-units --all --plain --no-legend berth-{command,companion,awake,guard,arrival}-'*'; }
no_units() { [[ -z $(own_units) ]]; }
# The guest looks for its power button from here on.
listens() { virsh qemu-monitor-command --hmp "$1" 'i /hx 0x602' | grep 0x0100; }
nobody_in() { [[ $(berth status --json | jq '.holders + .settings | length') == 0 ]]; }

# define_small NAME [BACKING]: a VM whose guest does nothing until it is told to power off. It asks ACPI for the power
# button's status, and looks for it with every tick of the clock.
define_small() {
    local image byte
    image=/var/lib/libvirt/images/small-${1//[^a-z]/}.img
    {
        for byte in \
            fa ba 02 06 b8 00 01 ef `#              PM1 enable: the power button` \
            fb f4 fa ba 00 06 ed f6 c4 01 74 f4 `#  until PM1 status has it` \
            ba 04 06 b8 00 20 ef eb fe `#           ACPI: off`; do
            printf %b "\\x$byte"
        done
        head -c 481 /dev/zero
        printf '\x55\xaa'
    } >"$image"
    truncate -s 1M "$image"
    cat >/run/small.xml <<XML
<domain type='qemu'>
  <name>$1</name>
  <memory unit='MiB'>64</memory>
  ${2:-}
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/><apic/></features>
  <on_poweroff>destroy</on_poweroff>
  <devices>
    <disk type='file' device='disk'><source file='$image'/><target dev='vda' bus='virtio'/></disk>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
XML
    virsh -q define /run/small.xml
}

# check_over NAME NOTES: all is as before VMs came, and no command has run twice.
check_over() {
    check "$1: the service runs again" wait_for 30 unit_is lab-screen active
    check "$1: the commands were undone once" wait_for 30 notes_are "$2" || said
    check "$1: no unit is left" wait_for 30 no_units || own_units
    check "$1: nothing is held" wait_for 30 nobody_in || berth status
    : >$notes
}

cat >/usr/local/sbin/lab-note <<'SCRIPT'
#!/bin/sh
echo "$1 $BERTH_DOMAIN" >>/run/lab-notes
[ -z "$2" ] || exec sleep "$2"
SCRIPT
chmod 755 /usr/local/sbin/lab-note
: >$notes
for unit in lab-screen lab-off; do
    printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/$unit.service
done
ln -s lab-screen.service /etc/systemd/system/display-manager.service
systemctl daemon-reload
systemctl start lab-screen

check "Berth is installed" install_berth
cat >/etc/berth/berth.toml <<'POLICY'
[vm."deck"]
services.stop = ["display-manager", "lab-off", "libvirtd", "lab-missing"]
commands = [
  { run = ["/usr/local/sbin/lab-note", "on"], undo = ["/usr/local/sbin/lab-note", "off"], required = true },
  { at = "started", run = ["/usr/local/sbin/lab-note", "up"], undo = ["/usr/local/sbin/lab-note", "down"] },
]
host.stay-awake = true
companions.stop = ["-idle vm"]

[vm."slow"]
services.stop = ["lab-screen"]
commands = [{ run = ["/usr/local/sbin/lab-note", "on", "300"], undo = ["/usr/local/sbin/lab-note", "off"], timeout = "5m" }]

[vm."broken"]
services.stop = ["lab-screen"]
hugepages.reserve = false
commands = [{ run = ["/usr/local/sbin/lab-note", "on"], undo = ["/usr/local/sbin/lab-note", "off"] }]

[vm."refused"]
services.stop = ["lab-screen"]
commands = [{ run = ["/usr/bin/false"], undo = ["/usr/local/sbin/lab-note", "off"], required = true }]

[vm."warned"]
commands = [{ at = "started", run = ["/usr/bin/false"], undo = ["/usr/local/sbin/lab-note", "off"] }]

[vm."left"]
companions.stop = ["right"]

[vm."right"]
companions.stop = ["left"]
POLICY
check "the policy is read" berth config check
for name in deck "-idle vm" slow refused warned left right; do define_small "$name"; done
define_small broken "<memoryBacking><hugepages/></memoryBacking>"

# --- a whole life ---
check "the companion starts" start_vm --domain=-idle\ vm || exit
check "the companion listens" wait_for 120 listens --domain=-idle\ vm
check "the VM starts" start_vm deck || exit
check "the companion is off" vm_is --domain=-idle\ vm 'shut off'
check "the service is stopped, by its alias" unit_is lab-screen inactive
check "libvirtd still runs" unit_is libvirtd active
check "the commands have run" wait_for 20 notes_are "on deck,up deck,"
if unit_is systemd-logind active; then check "the host stays awake" wait_for 20 awake; fi
berth status | sed 's/^/     /'
check "it is destroyed" stop_vm deck
check_over "after destroy" "on deck,up deck,down deck,off deck,"
check "the companion runs again" wait_for 300 vm_is --domain=-idle\ vm running
check "the companion listens again" wait_for 120 listens --domain=-idle\ vm
check "nothing keeps the host awake" bash -c '! systemd-inhibit --list --no-legend --no-pager | grep berth'

# --- a killed QEMU ---
check "it starts again" start_vm deck || exit
check "the commands have run again" wait_for 20 notes_are "on deck,up deck,"
kill -KILL "$(vm_pid deck)"
check_over "after QEMU was killed" "on deck,up deck,down deck,off deck,"
check "the companion is back" wait_for 300 vm_is --domain=-idle\ vm running
stop_vm --domain=-idle\ vm

# --- a hook that is killed while a command runs ---
virsh -q start slow >/run/slow.log 2>&1 &
check "the command runs" wait_for 60 notes_are "on slow,"
pkill -KILL -f 'slow prepare begin'
wait $!
check "the start failed" vm_is slow 'shut off'
check_over "after the hook was killed" "on slow,off slow,"

# --- starts that fail ---
check_refused "a VM without its pages does not start" . start_vm broken
check_over "after a failed start" "on broken,off broken,"
check_refused "a required command that fails refuses the start" 'berth.*failed' start_vm refused
check_over "after a refused start" "off refused,"
check "a command that fails later only warns" start_vm warned
check "and the journal says so" wait_for 20 bash -c 'journalctl -b | grep "berth.*/usr/bin/false"'
stop_vm warned
check_over "after a warned start" "off warned,"

# --- two VMs that stop each other ---
check "one starts" start_vm left
check "it listens" wait_for 120 listens left
check "the other starts in its place" start_vm right
check "the first is off" vm_is left 'shut off'
check "the other is destroyed" stop_vm right
check "the first comes back" wait_for 300 vm_is left running
stop_vm left
check_over "after both" ""
