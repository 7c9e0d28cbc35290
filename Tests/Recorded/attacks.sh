#!/bin/bash
# Attacks by whoever may define, rename or describe a VM, each with what comes of it: another VM's policy,
# more of the host than policy leaves, a bridge, a program that others can change.
#
# usage: Tests/Recorded/attacks.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"
fresh
own=7d3c9a52-1f0e-4b6d-8a34-2c5be1907f11
stranger=00000000-1111-2222-3333-444444444444

# policy: what the administrator says, on standard input.
policy() { mkdir -p "$root/etc/berth" && cat >"$root/etc/berth/berth.toml"; }

# domain NAME UUID ELEMENTS: the XML of a small VM of libvirt's.
domain() {
  printf "<domain type='kvm'><name>%s</name><uuid>%s</uuid><memory unit='MiB'>4096</memory>%s</domain>\n" \
    "$1" "$2" "${3:-<vcpu>2</vcpu>}" >"$stage/vm.xml"
}

# conf NAME: the configuration of VM 101 of Proxmox's.
conf() { mkdir -p "$stage/pve"; printf 'name: %s\ncores: 2\nmemory: 2048\n' "$1" >"$stage/pve/101.conf"; }

# attack NAME → RESULT: the plan of the VM has to say the words, or not, where they begin with “!”.
attack() {
  local name="$1 → $2" words=$3 output code
  hear "$berth" plan "${@:4}" --root "$root"
  if [[ $words == !* ]]; then
    if [[ $code -le 1 && $output != *"${words#!}"* ]]; then ok "$name"
    else fail "$name" "status $code: $output"; fi
  elif [[ $output == *"$words"* ]]; then ok "$name"
  else fail "$name" "status $code: $output"; fi
}
libvirt=(--libvirt "$stage/vm.xml")
proxmox=(--proxmox "$stage/pve/101.conf")
root_command='commands = [{ run = ["/usr/local/sbin/owned"] }]'
mkdir -p "$root/usr/local/sbin"
printf '#!/bin/sh\n' >"$root/usr/local/sbin/owned"
chmod 755 "$root/usr/local/sbin/owned"

# --- another VM's policy --------------------------------------------------------------------------

policy <<<"[vm.\"$own\"]
$root_command"
domain "$own" "$stranger"
attack "a name that is another VM's UUID" "not that VM's commands" "!/usr/local/sbin/owned" "${libvirt[@]}"
attack "a name that is another VM's UUID" "said in the plan" "is for the VM with that id" "${libvirt[@]}"
domain "${own//-/}" "$stranger"
attack "that UUID without its dashes" "not that VM's commands" "!/usr/local/sbin/owned" "${libvirt[@]}"
domain whatever "$own"
attack "the VM itself, by any name" "its own commands" "/usr/local/sbin/owned" "${libvirt[@]}"
policy <<<"[vm.\"${own^^}\"]
$root_command"
attack "the VM itself, by a UUID in capitals" "its own commands" "/usr/local/sbin/owned" "${libvirt[@]}"

policy <<<"[vm.\"101\"]
$root_command"
domain 101 "$stranger"
attack "a libvirt name that is a vmid" "not that VM's commands" "!/usr/local/sbin/owned" "${libvirt[@]}"
conf 101
mv "$stage/pve/101.conf" "$stage/pve/102.conf"
attack "a Proxmox name that is another's vmid" "not that VM's commands" "!/usr/local/sbin/owned" \
  --proxmox "$stage/pve/102.conf"

kelvin=$(printf 'test-\xe2\x84\xaa') # U+212A, to Unicode another spelling of the letter K
policy <<<"[vm.\"test-K\"]
$root_command"
domain "$kelvin" "$stranger"
attack "a name that is another one to Unicode only" "not that VM's commands" "!/usr/local/sbin/owned" \
  "${libvirt[@]}"
composed=$(printf 'caf\xc3\xa9') decomposed=$(printf 'cafe\xcc\x81')
policy <<<"[vm.\"$composed\"]
$root_command"
domain "$decomposed" "$stranger"
attack "a letter and its accent apart" "not that VM's commands" "!/usr/local/sbin/owned" "${libvirt[@]}"

policy <<<"[vm.web]
$root_command"
conf web
attack "a name on Proxmox" "no section" "!/usr/local/sbin/owned" "${proxmox[@]}"
attack "a name on Proxmox" "said with the line that mends it" "[vm.\"101\"]" "${proxmox[@]}"
policy <<<"proxmox.names = true
[vm.web]
$root_command"
attack "a name on Proxmox where names count" "its section" "/usr/local/sbin/owned" "${proxmox[@]}"
policy <<<"[vm.\"1*\"]
$root_command"
domain 1web "$stranger"
attack "a libvirt name that a glob of vmids fits" "no section" "!/usr/local/sbin/owned" "${libvirt[@]}"
policy <<<"[vm.\"${own%%-*}-*\"]
$root_command"
domain "${own%%-*}-x" "$stranger"
attack "a name that a glob of UUIDs fits" "no section" "!/usr/local/sbin/owned" "${libvirt[@]}"

cputune="<vcpu>2</vcpu><cputune><vcpupin vcpu='0' cpuset='5'/><vcpupin vcpu='1' cpuset='6'/></cputune>"
policy <<<"[vm.\"$own\"]
enabled = false
[vm.free]
enabled = true"
domain free "$own" "$cputune"
attack "a new name against enabled = false of its UUID" "nothing is done" "!reserves" "${libvirt[@]}"
policy <<<"[vm.\"${own%%-*}-*\"]
enabled = false
[vm.free]
enabled = true"
attack "a new name against enabled = false of a glob of UUIDs" "nothing is done" "!reserves" \
  "${libvirt[@]}"

# --- more than policy says ------------------------------------------------------------------------

wish() {
  printf '<metadata><b:domain xmlns:b="urn:berth:domain:1">%s</b:domain></metadata>' "$1"
}
pages="<memoryBacking><hugepages/></memoryBacking><numatune><memory mode='strict' nodeset='1'/></numatune>"
policy <<<'[defaults]
isolation = "none"
hugepages.reserve = false'
domain tenant "$stranger" "$cputune$pages$(wish \
  '<b:isolation>partition</b:isolation><b:hugepages><b:reserve>true</b:reserve></b:hugepages>')"
attack "metadata against isolation = none" "none" "!reserves these CPUs" "${libvirt[@]}"
attack "metadata against hugepages.reserve = false" "none" "!pages there" "${libvirt[@]}"
attack "metadata against the policy" "said with the line that lets it" \
  'unless metadata = "any" stands under [limits]' "${libvirt[@]}"
policy <<<'[limits]
metadata = "any"
[defaults]
isolation = "none"'
attack "metadata that policy lets win" "isolated" "reserves the vCPUs' CPUs" "${libvirt[@]}"
policy <<<'[limits]
metadata = "none"'
domain tenant "$stranger" "$cputune$(wish '<b:isolation>partition</b:isolation>')"
attack "metadata that does not count" "ignored" 'metadata = "none" stands under [limits]' "${libvirt[@]}"
policy </dev/null
domain tenant "$stranger" "<vcpu>2</vcpu>$(wish '<b:pins><b:vcpus>5-6</b:vcpus></b:pins>')"
attack "metadata where policy is silent" "as ever" "policy pins vCPU 0" "${libvirt[@]}"
for key in commands services.stop companions.stop pci.bind pci.force settings \
  scheduler.fifo-priority memory.drop-caches sriov.vfs limits.host-memory proxmox.names; do
  element="<b:${key##*.}>1</b:${key##*.}>"
  [[ $key != *.* ]] || element="<b:${key%%.*}>$element</b:${key%%.*}>"
  domain tenant "$stranger" "<vcpu>2</vcpu>$(wish "$element")"
  attack "metadata with $key" "ignored" "$key is taken from the policy file only" "${libvirt[@]}"
done

policy </dev/null
node=$(sed -n 's/.*MemTotal: *\([0-9]*\) kB/\1/p' "$root/sys/devices/system/node/node1/meminfo")
domain glutton "$stranger" "<vcpu>1</vcpu>$pages"
sed -i "s|<memory unit='MiB'>4096</memory>|<memory unit='KiB'>$((node / 2048 * 2048))</memory>|" "$stage/vm.xml"
attack "a node's last page" "refused with the limit" 'host-memory = "auto" under [limits]' "${libvirt[@]}"
policy <<<'limits.nodes = "0"'
domain tenant "$stranger" "<vcpu>1</vcpu>$pages"
attack "pages of a node that is nobody's" "refused with the limit" 'nodes = "0" under [limits]' \
  "${libvirt[@]}"
policy <<<'limits.host-cpus = "0-6"'
domain tenant "$stranger" "$cputune"
attack "pins to CPUs of the host's" "not isolated, with the limit" 'host-cpus = "0-6" under [limits]' \
  "${libvirt[@]}"
policy <<<'limits.cpus = "8-15"'
attack "pins to CPUs that are nobody's" "not isolated, with the limit" 'cpus = "8-15" under [limits]' \
  "${libvirt[@]}"
policy <<<'limits.host-cpus = 15'
attack "one CPU more than is left" "not isolated, with the limit" "host-cpus = 15 under [limits]" \
  "${libvirt[@]}"

# --- what is nobody's to have ---------------------------------------------------------------------

hostdev() {
  printf "<vcpu>1</vcpu><devices><hostdev mode='subsystem' type='pci' managed='%s'><source>
<address domain='0x0000' bus='0x40' slot='0x02' function='0x0'/></source></hostdev></devices>" "$1"
}
policy </dev/null
domain tenant "$stranger" "$(hostdev no)"
attack "a bridge" "refused" "which is a bridge of the host" "${libvirt[@]}"
domain tenant "$stranger" "$(hostdev yes)"
attack "a bridge that libvirt binds" "refused" "which is a bridge of the host" "${libvirt[@]}"
said "a bridge that libvirt binds → an error of doctor" 2 "which is a bridge of the host" \
  "$berth" doctor --libvirt "$stage/vm.xml" --root "$root"
policy <<<'[defaults]
pci.bind = ["0000:40:02.0"]
pci.force = ["0000:40:02.0"]'
domain tenant "$stranger"
attack "a bridge that policy forces" "refused" "which is a bridge of the host" "${libvirt[@]}"

# --- the administrator learns of it ---------------------------------------------------------------

policy <<<"[vm.\"$own\"]
[vm.\"${own^^}\"]
[vm.\"$composed\"]
[vm.\"$decomposed\"]
[vm.\"web-*\"]
isolation = \"none\"
[vm.\"w*\"]
isolation = \"auto\"
[vm.\"007\"]"
for words in "are for one VM; what the later one says wins" "look alike and are two names" \
  "never counts" "no VM of Proxmox has the vmid 007"; do
  answer "config check warns: $words" 0 "$words" config check --root "$root"
done
policy <<<'[limits]
host-memory = "2GiB"'
answer "status names the limits" 0 'host-memory = "2 GiB"' status --root "$root"
policy <<<'[defaults]
isolation = "none"'
domain tenant "$stranger" "$cputune$(wish '<b:isolation>partition</b:isolation>')"
answer "doctor names what policy does not let metadata do" 1 "which metadata can only narrow" \
  doctor --json --libvirt "$stage/vm.xml" --root "$root"

# --- the administrator's commands -----------------------------------------------------------------

policy </dev/null
mkdir -p "$root/etc/libvirt/qemu" "$root/etc/pve/qemu-server"
domain "$own" "$stranger" "$cputune"
cp "$stage/vm.xml" "$root/etc/libvirt/qemu/$own.xml"
cp "$hosts/gaming.xml" "$root/etc/libvirt/qemu/gaming.xml"
domain 101 "${stranger/0/9}" "$cputune"
cp "$stage/vm.xml" "$root/etc/libvirt/qemu/101.xml"
conf mail
cp "$stage/pve/101.conf" "$root/etc/pve/qemu-server/101.conf"
for command in plan doctor; do
  answer "$command of a UUID that a VM is called like → of the UUID's VM" "0 1 2" gaming \
    $command "$own" --root "$root"
  answer "$command of a vmid that a VM is called like → of the vmid's VM" "0 1 2" mail \
    $command 101 --root "$root"
done
"$berth" replay gaming prepare --root "$root" >/dev/null 2>&1
"$berth" replay x prepare --libvirt "$root/etc/libvirt/qemu/$own.xml" --root "$root" >/dev/null 2>&1
answer "both are in" 0 "$stranger" status --root "$root"
answer "release of a UUID that a VM is called like → of the UUID's VM" 0 "" release "$own" --root "$root"
answer "the other one stays" 0 "$stranger" status --root "$root"
check_equal "and the UUID's has left" 0 "$("$berth" status --root "$root" | grep -c "^gaming ")"
sed 's/<uuid>.*<\/uuid>//; s/<name>[^<]*/<name>'"$stranger/" "$stage/vm.xml" >"$stage/bare.xml"
answer "release by a file without a UUID that is called like one → nothing of the UUID's" 0 "" \
  replay x release --libvirt "$stage/bare.xml" --root "$root"
answer "which stays" 0 "$stranger" status --root "$root"
policy <<<'limits.host-cpus = "0-3,8-11"'
answer "advice leaves out what no VM may claim" 1 "0-3,8-11 have vCPUs of “the host, by [limits]”" \
  advise --json --vcpus 10 --memory 4G --root "$root"
