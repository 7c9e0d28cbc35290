# shellcheck shell=sh disable=SC2034 # who reads this uses what is not used here
# How Berth becomes the hook of libvirt and of Proxmox VE, and how that is undone: for install.sh, and for the scripts
# of packages, which have it in /usr/share/berth. What it makes is in $made, so that this goes and nothing else.

binary=/usr/sbin/berth
# Where the storage “local” of Proxmox VE keeps hookscripts.
snippet=/var/lib/vz/snippets/berth
# Folders and links that were made for Berth, one a line, the first one first.
made=/etc/berth/.made
# The libvirt of NixOS has its configuration in /var/lib (nixpkgs, libvirt/package.nix: sysconfdir).
libvirt=/etc/libvirt
if [ -e /etc/NIXOS ]; then libvirt=/var/lib/libvirt; fi
hooks=$libvirt/hooks
repairs='berth-reconcile.service berth-reconcile.path berth-live.service berth-live.path'
metrics='berth-metrics.service berth-metrics.timer'
reload=${reload:-yes}

say() { printf '%s\n' "$*"; }

# Runs a command as root, through sudo where that is needed.
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

is_recorded() { grep -qsxF -- "$1" "$made"; }
record() { is_recorded "$1" || printf '%s\n' "$1" | as_root tee -a "$made" >/dev/null; }

# Makes a folder that is not there, and records that.
make_folder() {
  [ ! -d "$1" ] || return 0
  as_root mkdir "$1"
  record "$1"
}

# Makes the folder of a file, with all above it that are not there.
make_folders() {
  case $1 in /*/*) make_folders "${1%/*}" ;; esac
  make_folder "${1%/*}/"
}

remove_empty() {
  [ ! -d "$1" ] || [ -L "$1" ] || as_root rmdir --ignore-fail-on-non-empty "$1"
}

# Takes away the folders that were made, the last one first, where they are empty.
remove_folders() {
  [ -e "$made" ] || return 0
  for path in $(tac "$made"); do remove_empty "$path"; done
  as_root rm -f "$made"
}

# Both ends are resolved: /usr/sbin itself is a link on some systems.
is_ours() { [ -L "$1" ] && [ "$(readlink -f -- "$1")" = "$(readlink -f -- "$binary")" ]; }

# libvirt runs programs alone: folders in qemu.d, which other tools keep for VMs, are none (virFileIsExecutable).
is_hook() { [ -f "$1" ] && [ -x "$1" ]; }

has_hooks() {
  ! is_hook "$hooks/qemu" || return 0
  for hook in "$hooks"/qemu.d/*; do ! is_hook "$hook" || return 0; done
  return 1
}

# libvirt looks for hooks when its daemon starts and on a reload; once it knows that there are any,
# it notices changes by itself (virHookInitialize).
reload_libvirt() {
  [ "$reload" = yes ] && command -v systemctl >/dev/null || return 0
  for unit in virtqemud.service libvirtd.service; do
    if systemctl is-active -q "$unit"; then
      as_root systemctl reload "$unit" && say "reloaded $unit"
    fi
  done
}

# Where the link has to be: a hook of somebody else stays what it is, and libvirt runs those in qemu.d beside it.
link_place() {
  if [ -e "$hooks/qemu" ] || [ -L "$hooks/qemu" ]; then echo "$hooks/qemu.d/berth"; else echo "$hooks/qemu"; fi
}

# Links the program as libvirt's hook, unless it is one. Fails where there is no place for the link.
link_hook() {
  if [ ! -d "$libvirt" ]; then
    say "libvirt is not installed here; run ${again:-install.sh} again when it is"
    return
  fi
  if is_ours "$hooks/qemu" || is_ours "$hooks/qemu.d/berth"; then return; fi
  link=$(link_place)
  case $link in */qemu.d/*)
    # nixpkgs, libvirtd.nix: what is in qemu.d is removed whenever the daemon starts.
    if [ -e /etc/NIXOS ]; then
      say "$hooks/qemu is another hook; add this line to the configuration of NixOS:"
      say "  virtualisation.libvirtd.hooks.qemu.berth = \"$binary\";"
      return
    fi ;;
  esac
  if { [ "${link%/*}" != "$hooks" ] && [ -e "${link%/*}" ] && [ ! -d "${link%/*}" ]; } || [ -e "$link" ] || [ -L "$link" ]
  then
    say "libvirt does not call Berth: something else is in the place of $link; move it, then ln -s $binary $link"
    return 1
  fi
  first=yes
  if has_hooks; then first=no; fi
  make_folder "$hooks"
  make_folder "${link%/*}"
  as_root ln -s "$binary" "$link"
  record "$link"
  say "linked $link"
  if [ "$first" = yes ]; then reload_libvirt; fi
}

# Links it as a package does that is upgraded: a link that was removed by hand stays away.
link_hook_again() {
  for link in "$hooks/qemu" "$hooks/qemu.d/berth"; do
    if is_recorded "$link" && [ ! -e "$link" ]; then
      say "left alone: $link was removed by hand; ln -s $binary $link has libvirt call Berth again"
      return
    fi
  done
  link_hook
}

unlink_hook() {
  for link in "$hooks/qemu" "$hooks/qemu.d/berth"; do
    if is_ours "$link"; then as_root rm -f "$link"; say "removed $link"; fi
  done
}

has_proxmox() { [ -d /etc/pve/qemu-server ]; }

# place_snippet FILE: VMs are left as they are. Which of them Berth is for, the administrator says.
place_snippet() {
  has_proxmox || return 0
  make_folder "${snippet%/*/*}"
  make_folder "${snippet%/*}"
  as_root install -m 0755 "$1" "$snippet"
  say "installed $snippet; for each VM that Berth is for, run"
  say "  berth enable VMID"
}

# A VM whose hookscript is missing does not start: without Berth the script does nothing.
remove_snippet() {
  [ -e "$snippet" ] || return 0
  if grep -qs '^hookscript:.*:snippets/berth$' /etc/pve/nodes/*/*/*.conf /etc/pve/qemu-server/*.conf; then
    say "kept $snippet, which VMs still name: qm set VMID --delete hookscript"
  else
    as_root rm -f "$snippet"
    say "removed $snippet"
  fi
}

# Makes Berth the hook of what is installed here; place_hooks FILE is of the snippet.
place_hooks() {
  linked=0
  if [ -d "$libvirt" ] || ! has_proxmox; then "${link_by:-link_hook}" || linked=$?; fi
  place_snippet "$1"
  return "$linked"
}

# Gives back what VMs hold. Fails, with what Berth says about it, where one of them runs or something cannot be given
# back: whoever calls this then leaves Berth where it is.
give_back() { [ ! -x "$binary" ] || as_root "$binary" release --all </dev/null; }

# Tells systemd and udev that their files have changed, where they run.
reload_units() {
  [ -d /run/systemd/system ] || return 0
  as_root systemctl daemon-reload
  ! command -v udevadm >/dev/null || as_root udevadm control --reload
}

# Has systemd wait for what repairs after sleep and after CPUs have come back, and follows what changes about VMs that
# run; nothing of it runs until then. The timer of metrics is the administrator's to enable.
enable_units() {
  reload_units
  as_root systemctl -q enable berth-reconcile.service berth-reconcile.path berth-live.path
  [ ! -d /run/systemd/system ] || as_root systemctl restart berth-reconcile.path berth-live.path
}

# Without Berth nobody would write the file anew, and its figures would be told for ever.
stop_metrics() {
  if [ -d /run/systemd/system ]; then as_root systemctl stop berth-metrics.timer berth-metrics.service || true; fi
  as_root rm -f /var/lib/prometheus/node-exporter/berth.prom
}

# Stops and disables each of the units that is there: an older version has fewer of them.
disable_units() {
  command -v systemctl >/dev/null || return 0
  for unit in berth-live.path berth-live.service berth-reconcile.path berth-reconcile.service \
    berth-metrics.timer berth-metrics.service; do
    [ -e "/usr/lib/systemd/system/$unit" ] || continue
    [ ! -d /run/systemd/system ] || as_root systemctl stop "$unit"
    as_root systemctl -q disable "$unit"
  done
}
