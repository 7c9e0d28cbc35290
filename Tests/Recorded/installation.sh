#!/bin/bash
# Installs Berth and takes it away again, and compares every file and link afterwards: where
# libvirt is not installed, with an empty folder of hooks, and beside a hook of somebody else.
#
# It all happens in a mount namespace of its own, with an /etc, an /usr/sbin, an /usr/share, a /run and folders of units
# and rules in memory.
#
# usage: Tests/Recorded/installation.sh BERTH
set -u
if [ "${2:-}" != inside ]; then
  berth=$(readlink -f "$1")
  apart=(unshare --mount)
  # An ordinary user is root in a namespace of users only, which a chroot may not have.
  [ "$(id -u)" -eq 0 ] || apart+=(--map-root-user)
  if ! "${apart[@]}" sh -c 'command -v mount' >/dev/null 2>&1; then
    echo "left out: here is no namespace, or no mount, to install Berth in"
    exit 0
  fi
  exec "${apart[@]}" "$0" "$berth" inside
fi

# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"
folder=$(readlink -f "$(dirname "$0")/../..")
hooks=/etc/libvirt/hooks
policy=/etc/berth/berth.toml

# dpkg's folder goes on to be asked for packages.
mkdir "$stage/dpkg"
mount --bind /var/lib/dpkg "$stage/dpkg" || { fail "a host to install Berth on"; exit 1; }
places=(/etc /usr/sbin /usr/share /run /var/lib)
for place in /usr/lib/systemd/system /usr/lib/udev; do
  [ ! -d "$place" ] || places+=("$place")
done
for place in "${places[@]}"; do
  mount -t tmpfs -o mode=755 none "$place" || { fail "a host to install Berth on"; exit 1; }
done

mkdir /var/lib/dpkg
mount --bind "$stage/dpkg" /var/lib/dpkg
umount "$stage/dpkg"

# Every file, folder and link of the host, with its mode and a sum of what it holds.
host() {
  find "${places[@]}" -xdev -printf '%y %m %p %l\n' | sort
  find "${places[@]}" -xdev -type f -exec sha256sum {} + | sort
}

# step NAME STATUS WORDS ARGUMENT...: install.sh has to end with the status and say the words.
step() { said "${@:1:3}" "$folder/install.sh" --binary "$berth" --no-reload "${@:4}"; }

before() { host >"$stage/before"; }
unchanged() { check "$1" diff "$stage/before" <(host); }
# holds FILE WORDS: an installed file has to be there and say the words.
holds() {
  if grep -qF -- "$2" "$1"; then ok "$1 is installed"
  else fail "$1 is installed" "$(ls -l "$1" 2>&1)"; fi
}
# enabled TARGET UNIT: a unit is wanted by a target.
enabled() {
  check "$1 wants $2" test -e "/etc/systemd/system/$1.wants/$2"
}
leads() {
  if [ "$(readlink "$1")" = /usr/sbin/berth ]; then ok "$1 leads to Berth"
  else fail "$1 leads to Berth" "$(ls -l "$1" 2>&1)"; fi
}

before
step "it installs where there is no libvirt" 0 "run install.sh again"
step "it installs twice" 0 "installed /usr/sbin/berth"
holds /usr/share/man/man8/berth.8 ".TH BERTH 8"
holds /usr/share/man/man5/berth.toml.5 ".TH BERTH.TOML 5"
holds /usr/share/bash-completion/completions/berth "complete "
holds /usr/share/zsh/vendor-completions/_berth "#compdef berth"
holds /usr/share/fish/vendor_completions.d/berth.fish "complete "
if [ -d /usr/lib/systemd/system ] && command -v systemctl >/dev/null; then
  holds /usr/lib/systemd/system/berth-reconcile.service "/usr/sbin/berth reconcile"
  holds /usr/lib/udev/rules.d/90-berth.rules 'ACTION=="online"'
  for target in suspend hibernate hybrid-sleep suspend-then-hibernate; do
    enabled $target.target berth-reconcile.service
  done
  enabled paths.target berth-reconcile.path
  holds /usr/lib/systemd/system/berth-live.service "/run/berth/changed"
  enabled multi-user.target berth-live.path
fi
step "it goes" 0 "Berth is gone" --uninstall
unchanged "without libvirt the host is as it was"
step "it goes although it is not there" 0 "Berth is gone" --uninstall
unchanged "nothing is missing afterwards"

mkdir /etc/libvirt
before
step "it installs where there is no folder of hooks" 0 "linked $hooks/qemu"
leads $hooks/qemu
step "it goes with that folder" 0 "removed $hooks/qemu" --uninstall
unchanged "without hooks the host is as it was"

mkdir $hooks
before
step "it installs in an empty folder of hooks" 0 "linked $hooks/qemu"
leads $hooks/qemu
step "it installs there twice" 0 "done"
step "it goes and leaves the folder" 0 "removed $hooks/qemu" --uninstall
unchanged "with an empty folder of hooks the host is as it was"

printf '#!/bin/sh\n' >$hooks/qemu
chmod 755 $hooks/qemu
before
step "it installs beside somebody else's hook" 0 "linked $hooks/qemu.d/berth"
leads $hooks/qemu.d/berth
step "it installs beside it twice" 0 "done"
if [ "$(ls $hooks/qemu.d)" = berth ] && [ "$(cat $hooks/qemu)" = '#!/bin/sh' ]; then
  ok "the other hook stays what it is"
else fail "the other hook stays what it is" "$(ls -lR $hooks)"; fi
step "it goes from beside it" 0 "removed $hooks/qemu.d/berth" --uninstall
unchanged "with somebody else's hook the host is as it was"

step "it installs once more" 0 "linked"
echo '# mine' >>$policy
step "a policy that was changed stays" 0 "kept $policy" --uninstall
before
step "it installs beside that policy" 0 "linked"
step "it goes from beside that policy" 0 "kept $policy" --uninstall
unchanged "the policy is as it was"
rm -r /etc/berth

before
step "it installs a last time" 0 "linked"
mkdir /run/berth
chmod 777 /run/berth
step "it stays where it cannot give back" 1 "its mode is 777" --uninstall
leads $hooks/qemu.d/berth
rmdir /run/berth
ln -s /etc /run/berth
step "it stays where its ledger is a link" 1 "ENOTDIR" --uninstall
rm /run/berth
step "then it goes" 0 "Berth is gone" --uninstall
unchanged "in the end the host is as it was"

# A domain's name is completed without libvirt, by whoever may read it.
mkdir -p /etc/libvirt/qemu
touch /etc/libvirt/qemu/one.xml "/etc/libvirt/qemu/the other.xml"
names=$("$berth" ---completion plan -- positional@0 0 0 "" 2>&1)
check_equal "the names of domains are completed" $'one\nthe other' "$names"

rm -r /etc/libvirt
mkdir -p /etc/pve/nodes/one/qemu-server /var/lib/vz
ln -s nodes/one/qemu-server /etc/pve/qemu-server
printf 'cores: 2\n' >/etc/pve/qemu-server/100.conf
before
step "on Proxmox it says what is to be done" 0 "berth enable VMID"
if [ -x /var/lib/vz/snippets/berth ] && ! grep -q hookscript /etc/pve/qemu-server/100.conf; then
  ok "the snippet is there, and no VM was changed"
else fail "the snippet is there, and no VM was changed"; fi
# A qm that does what Proxmox's does with these two calls, and writes them down.
cat >/usr/sbin/qm <<'QM'
#!/bin/sh
echo "$*" >>/etc/calls
conf=/etc/pve/qemu-server/$2.conf
case "$1 $3" in
  "set --hookscript") echo "hookscript: $4" >>"$conf" ;;
  "set --delete") sed -i '/^hookscript:/d' "$conf" ;;
  *) exit 255 ;;
esac
QM
chmod 755 /usr/sbin/qm
said "enable calls qm" 0 "written" /usr/sbin/berth enable 100 --yes
said "and Proxmox's file says so" 0 "yes" /usr/sbin/berth list
said "disable calls qm" 0 "written" /usr/sbin/berth disable --all --yes
check_equal "qm was called without a shell" \
  $'set 100 --hookscript local:snippets/berth\nset 100 --delete hookscript' "$(cat /etc/calls)"
printf '#!/bin/sh\nexit 0\n' >/usr/sbin/qm
said "what qm did not write is told" 1 "does not say so" /usr/sbin/berth enable 100 --yes
printf '#!/bin/sh\necho "VM is locked (backup)" >&2\nexit 255\n' >/usr/sbin/qm
said "what qm refuses is told" 1 "VM is locked (backup)" /usr/sbin/berth enable 100 --yes
rm /usr/sbin/qm /etc/calls
step "it goes from Proxmox" 0 "removed /var/lib/vz/snippets/berth" --uninstall
unchanged "on Proxmox the host is as it was"
step "on Proxmox it installs again" 0 "installed /var/lib/vz/snippets/berth"
printf 'hookscript: local:snippets/berth\n' >>/etc/pve/qemu-server/100.conf
step "a snippet that a VM names stays" 0 "qm set VMID --delete hookscript" --uninstall
if /var/lib/vz/snippets/berth 100 pre-start; then ok "and lets it start without Berth"
else fail "and lets it start without Berth"; fi
