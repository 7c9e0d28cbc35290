#!/bin/bash
# Lists whose hook is called, and adds and removes Proxmox's line hookscript: on a recorded host with the built
# binary. installation.sh has the same with a qm that is a program.
#
# usage: Tests/Recorded/hookscripts.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"
conf=etc/pve/qemu-server

asked() { answer "$@" --root "$root"; }
# holds NAME FILE TEXT: a configuration has to be that.
holds() { check_equal "$1" "$3" "$(cat "$root/$conf/$2")"; }

fresh() {
  unpack_workstation
  mkdir -p "$root/$conf" "$root/var/lib/vz/snippets"
  printf 'dir: local\n\tpath /var/lib/vz\n\tcontent iso,backup,snippets\n' >"$root/etc/pve/storage.cfg"
  install -m 755 /dev/null "$root/var/lib/vz/snippets/berth"
  install -m 755 /dev/null "$root/var/lib/vz/snippets/mine"
  printf '#a note\nagent: 1\ncores: 2\nname: gaming\n\n[PENDING]\nhookscript: local:snippets/berth\n\n[before]\ncores: 1\nhookscript: local:snippets/berth\n' \
    >"$root/$conf/100.conf"
  printf 'cores: 2\nhookscript: local:snippets/mine\nname: db\n' >"$root/$conf/101.conf"
  printf 'cores: 2\nhookscript: local:snippets/berth\nname: web\n' >"$root/$conf/102.conf"
  printf 'cores: 2\nname: model\ntemplate: 1\n' >"$root/$conf/103.conf"
  remember
}
plain=$(printf '#a note\nagent: 1\ncores: 2\nname: gaming\n\n[PENDING]\nhookscript: local:snippets/berth\n\n[before]\ncores: 1\nhookscript: local:snippets/berth')
added=$(printf '#a note\nagent: 1\ncores: 2\nhookscript: local:snippets/berth\nname: gaming\n\n[PENDING]\nhookscript: local:snippets/berth\n\n[before]\ncores: 1\nhookscript: local:snippets/berth')

# --- list -------------------------------------------------------------------------------------------

fresh
asked "list tells a VM without the line" 0 "gaming (100)  Proxmox VE  no" list
asked "list tells another hookscript" 0 "local:snippets/mine" list
asked "list tells a VM with the line" 0 "web (102)     Proxmox VE  yes" list
asked "list says how to add the line" 0 "berth enable 100" list
asked "list tells programs" 0 '"hook" : "another"' list --json
asked "list numbers its form" 0 '"schema" : 1' list --json
unchanged "list changes nothing"
fresh
mkdir -p "$root/etc/berth"
printf '[vm."100"]\nprofile = "latency"\n[vm."102"]\nenabled = false\n' >"$root/etc/berth/berth.toml"
asked "list has the sections of the policy" 0 '[vm."100"], profile latency' list
asked "list tells a VM that policy leaves alone" 0 'enabled = false' list
echo 'x = = 1' >"$root/etc/berth/berth.toml"
asked "list goes on with a policy that cannot be read" 0 "cannot be read" list
printf 'nonsense\n' >"$root/$conf/104.conf"
asked "list goes on with a configuration that cannot be read" 0 "104" list

rm -r "$root/etc/pve"
mkdir -p "$root/etc/libvirt/hooks" "$root/etc/libvirt/qemu" "$root/usr/sbin"
touch "$root/etc/libvirt/qemu.conf"
install -m 755 /dev/null "$root/usr/sbin/berth"
cp "$hosts/gaming.xml" "$root/etc/libvirt/qemu/gaming.xml"
rm "$root/etc/berth/berth.toml"
asked "list tells that libvirt's hook is not installed" 0 "gaming  libvirt     no" list
ln -s /usr/sbin/berth "$root/etc/libvirt/hooks/qemu"
asked "list tells that libvirt's hook is installed" 0 "gaming  libvirt     yes" list
asked "enable of a VM of libvirt's says why not" 2 "libvirt" enable gaming --yes

# --- enable -----------------------------------------------------------------------------------------

fresh
asked "a dry run shows the line" 0 "+ hookscript: local:snippets/berth" enable 100 --dry-run
unchanged "a dry run writes nothing"
fresh
asked "without a terminal nothing is written unasked" 2 "--yes" enable 100
unchanged "and nothing was written"
fresh
asked "enable writes" 0 "hookscript: local:snippets/berth" enable gaming --yes
holds "the line is in the VM's present, where Proxmox has it" 100.conf "$added"
asked "enable twice has nothing to do" 0 "nothing to write" enable 100 --yes
asked "another hookscript is not replaced" 1 "qm set 101 --delete hookscript" enable 101 --yes
holds "it stays what it was" 101.conf "$(printf 'cores: 2\nhookscript: local:snippets/mine\nname: db')"
asked "disable takes the line out" 0 "- hookscript: local:snippets/berth" disable 100 --yes
holds "and nothing else" 100.conf "$plain"
asked "disable leaves another hookscript alone" 0 "nothing to write" disable 101 --yes
unchanged "the host is restored"

fresh
asked "all at once adds the lines that are missing" 1 "gaming (100)" enable --all --yes
holds "a VM gets its line" 100.conf "$added"
holds "a template gets none" 103.conf "$(printf 'cores: 2\nname: model\ntemplate: 1')"
asked "all at once takes them out, and programs are told" 0 '"result" : "written"' disable --all --yes --json
holds "the last one, too" 102.conf "$(printf 'cores: 2\nname: web')"

fresh
printf 'cores: 2\nlock: backup\nname: gaming\n' >"$root/$conf/100.conf"
asked "what Proxmox refuses is told in its words" 1 "VM is locked (backup)" enable 100 --yes
fresh
rm "$root/var/lib/vz/snippets/berth"
asked "a snippet that is not there" 2 "install.sh" enable 100 --dry-run
fresh
sed -i 's/,snippets//' "$root/etc/pve/storage.cfg"
asked "a storage without snippets" 2 "pvesm set local --content iso,backup,snippets" enable 100 --yes
rm "$root/etc/pve/storage.cfg"
asked "the storage that every node has from the start" 0 "+ hookscript" enable 100 --yes
asked "a VM that is not there" 2 "knows a VM “999”" enable 999 --yes
asked "a VM or all" 2 "name VMs, or give --all" enable
asked "not both" 2 "name VMs, or give --all" enable 100 --all
