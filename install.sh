#!/bin/sh
# Installs Berth as the hook of libvirt and Proxmox VE, tries it without installing, or takes it away again.
set -eu
# What is made for root is nobody else's to write, whatever the umask of who calls this.
umask 022

usage() {
  cat <<'END'
usage: ./install.sh               build and install, as root or through sudo
       ./install.sh --try         build, and play a VM's life on a recorded host; installs nothing
       ./install.sh --build       build .build/release/berth, and no more
       ./install.sh --uninstall   give back what is held, and remove everything
       ./install.sh --binary FILE install a binary that is built already
       ./install.sh --no-reload   leave libvirt's daemon alone; the hook works after its next restart
END
}

folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
binary=/usr/sbin/berth
policy=/etc/berth/berth.toml
hooks=/etc/libvirt/hooks
# Where the storage “local” of Proxmox VE keeps hookscripts.
snippet=/var/lib/vz/snippets/berth
# The folders that were made for Berth: these go with it, and no others.
made=/etc/berth/.made
action=install
built=
reload=yes

while [ $# -gt 0 ]; do
  case $1 in
    --try) action=try ;;
    --build) action=build ;;
    --uninstall) action=uninstall ;;
    --binary) built=${2:?--binary needs a file}; shift ;;
    --no-reload) reload=no ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

# Before anything is built for nothing.
need_root() {
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null \
    || fail "this needs root: run it as root, or install sudo"
}

# Runs a command as root, through sudo where that is needed and there.
as_root() {
  need_root
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs the Debian packages among its arguments that are missing.
need_packages() {
  missing=
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' \
      || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || fail "please install what these Debian packages hold:$missing"
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    fail "packages are missing, and only root can install them: apt-get install$missing"
  fi
  say "installing$missing"
  as_root apt-get update -qq
  # shellcheck disable=SC2086 # one word for each package
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
}

# Whose the build is: that of the user who called sudo, where the clone is theirs. Root would leave
# files in it that stop their next build.
find_builder() {
  builder=
  if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ] \
    && [ "$(stat -c %U -- "$folder")" = "$SUDO_USER" ]; then
    builder=$SUDO_USER
    HOME=$(getent passwd "$builder" | cut -d: -f6)
  fi
}

as_builder() {
  if [ -n "$builder" ]; then runuser -u "$builder" -- "$@"; else "$@"; fi
}

find_swift() {
  for candidate in swift /opt/swift/usr/bin/swift "$HOME/.local/share/swiftly/bin/swift"; do
    if command -v "$candidate" >/dev/null; then swift=$(command -v "$candidate"); return; fi
  done
  fail "the Swift toolchain (6.2 or later) is missing; get it from https://www.swift.org/install/linux, or name a built binary with --binary"
}

# To load a program is most of what a small hook costs: nothing but libc is loaded, and nothing is left
# to relocate. link/README.md says how, and at what price.
compile() {
  archives=$folder/.build/archives
  machine=$(uname -m)-linux-gnu
  as_builder mkdir -p "$archives"
  # In a folder without the shared libraries, the linker takes archives.
  newest=$(printf '%s\n' /usr/lib/gcc/"$machine"/*/libstdc++.a | sort -V | tail -1)
  for archive in "$newest" "/usr/lib/$machine/libexpat.a"; do
    if [ -e "$archive" ]; then as_builder ln -sf "$archive" "$archives"; fi
  done
  # Sources/CStart/math.c takes the place of libm, unless the toolchain wants more of it.
  echo 'INPUT ( AS_NEEDED ( -l:libm.so.6 ) )' | as_builder tee "$archives/libm.so"
  # The names are what link/order looks for.
  strip=-s
  if [ -n "${BERTH_KEEP_SYMBOLS:-}" ]; then strip=-S; fi
  set -- "-L$archives" "$strip" --no-export-dynamic -znow \
    "--symbol-ordering-file=$folder/link/symbols" --no-warn-symbol-ordering
  for flag in "$@"; do
    shift
    set -- "$@" -Xlinker "$flag"
  done
  for flag in -Xclang-linker -no-pie -Xclang-linker -static-libgcc -use-ld=lld \
    -Xfrontend -function-sections \
    -Xfrontend -disable-concrete-type-metadata-mangled-name-accessors; do
    set -- "$@" -Xswiftc "$flag"
  done
  (cd "$folder" && as_builder "$swift" build -c release --static-swift-stdlib \
    --disable-local-rpath "$@" --product berth -q)
}

build() {
  if [ -n "$built" ]; then
    [ -x "$built" ] || fail "$built is no program"
    return
  fi
  find_builder
  find_swift
  need_packages libsystemd-dev libexpat1-dev
  say "building (a minute or two the first time, when it fetches a package from GitHub)"
  # Of a build that works nobody needs to see the linker's remarks on Foundation.
  log=$(mktemp)
  if ! compile >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    fail "the build failed"
  fi
  rm -f "$log"
  built=$folder/.build/release/berth
}

try() {
  build
  hosts=$folder/Tests/Hosts
  stage=$(mktemp -d)
  trap 'rm -rf "$stage"' EXIT
  "$built" recorded unpack "$hosts/two-node-workstation.host" "$stage/host"
  cp -a "$stage/host" "$stage/before"

  say "A recorded workstation with two NUMA nodes, and a gaming VM for it. Its kernel is simulated;"
  say "nothing of this machine is touched."
  play prepare "libvirt is about to start the VM"
  play start "QEMU is about to run"
  "$built" recorded enter "$hosts/two-node-workstation.gaming.host" "$stage/host"
  play started "QEMU runs, and its threads are there"
  heading "berth status" "the host while the VM is in"
  "$built" status --root "$stage/host"
  "$built" recorded leave "$hosts/two-node-workstation.gaming.host" "$stage/host"
  play stopped "the guest has shut down, and QEMU is gone"
  play release "libvirt is done with the VM"

  heading "the host afterwards" "every file and link, compared with the recording"
  rm -rf "$stage/host/run/berth" "$stage/host/recorded" "$stage/before/recorded"
  diff -r --no-dereference "$stage/before" "$stage/host" || fail "the host is not as it was"
  say "the host is as it was: $(find "$stage/before" ! -type d | wc -l) files and links, no difference"
}

heading() { printf '\n== %s: %s\n' "$1" "$2"; }

play() {
  heading "$1" "$2"
  "$built" replay gaming "$1" --libvirt "$hosts/gaming.xml" --root "$stage/host"
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

has_hooks() {
  [ -x "$hooks/qemu" ] && return 0
  for hook in "$hooks"/qemu.d/*; do [ -x "$hook" ] && return 0; done
  return 1
}

pages='man8/berth.8 man5/berth.toml.5'
# Where each shell looks for what packages bring it, behind the name of the shell.
completions='bash:/usr/share/bash-completion/completions/berth
zsh:/usr/share/zsh/vendor-completions/_berth
fish:/usr/share/fish/vendor_completions.d/berth.fish'

# Makes the folder of a file, with all above it that are not there.
make_folders() {
  case $1 in /*/*) make_folders "${1%/*}" ;; esac
  make_folder "${1%/*}/"
}

install_documents() {
  for page in $pages; do
    make_folders "/usr/share/man/$page"
    as_root install -m 0644 "$folder/docs/man/${page#*/}" "/usr/share/man/$page"
  done
  script=$(mktemp)
  for completion in $completions; do
    path=${completion#*:}
    # Berth does without a completion that cannot be had.
    "$binary" --generate-completion-script "${completion%%:*}" >"$script" || continue
    make_folders "$path"
    as_root install -m 0644 "$script" "$path"
  done
  rm -f "$script"
  say "installed the manual pages berth(8) and berth.toml(5), and completions for bash, zsh and fish"
}

remove_documents() {
  for page in $pages; do as_root rm -f "/usr/share/man/$page"; done
  for completion in $completions; do as_root rm -f "${completion#*:}"; done
}

units=/usr/lib/systemd/system
repairs='berth-reconcile.service berth-reconcile.path berth-live.service berth-live.path'
rule=/usr/lib/udev/rules.d/90-berth.rules

# Tells systemd and udev that their files have changed, where they run.
reload_units() {
  [ -d /run/systemd/system ] || return 0
  as_root systemctl daemon-reload
  ! command -v udevadm >/dev/null || as_root udevadm control --reload
}

# What repairs after sleep and after CPUs have come back, and follows what changes about VMs that run; nothing
# of it runs until then.
install_units() {
  [ -d "$units" ] && command -v systemctl >/dev/null || return 0
  for unit in $repairs; do
    as_root install -m 0644 "$folder/hooks/$unit" "$units/$unit"
  done
  make_folders "$rule"
  make_folders /etc/systemd/system/
  as_root install -m 0644 "$folder/hooks/90-berth.rules" "$rule"
  reload_units
  as_root systemctl -q enable berth-reconcile.service berth-reconcile.path berth-live.path
  [ ! -d /run/systemd/system ] || as_root systemctl restart berth-reconcile.path berth-live.path
  say "installed berth-reconcile.service, which repairs after sleep and after CPUs were offline, and follows"
  say "what changes about VMs while they run"
}

remove_units() {
  [ -e "$units/berth-reconcile.service" ] || return 0
  # An older version has fewer of them.
  for unit in berth-live.path berth-live.service berth-reconcile.path berth-reconcile.service; do
    [ -e "$units/$unit" ] || continue
    [ ! -d /run/systemd/system ] || as_root systemctl stop "$unit"
    as_root systemctl -q disable "$unit"
    as_root rm -f "$units/$unit"
  done
  as_root rm -f "$rule"
  reload_units
}

# Both ends are resolved: /usr/sbin itself is a link on some systems.
is_ours() { [ -L "$1" ] && [ "$(readlink -f -- "$1")" = "$(readlink -f -- "$binary")" ]; }

# Makes a folder that is not there, and remembers that.
make_folder() {
  [ ! -d "$1" ] || return 0
  as_root mkdir "$1"
  printf '%s\n' "$1" | as_root tee -a "$made" >/dev/null
}

remove_empty() {
  [ ! -d "$1" ] || as_root rmdir --ignore-fail-on-non-empty "$1"
}

# Takes away the folders that were made, the last one first, where they are empty.
remove_folders() {
  [ -e "$made" ] || return 0
  for path in $(tac "$made"); do remove_empty "$path"; done
  as_root rm -f "$made"
}

link_hook() {
  if [ ! -d /etc/libvirt ]; then
    say "libvirt is not installed here; run install.sh again when it is"
    return
  fi
  if is_ours "$hooks/qemu" || is_ours "$hooks/qemu.d/berth"; then return; fi
  first=yes
  if has_hooks; then first=no; fi
  make_folder "$hooks"
  # A hook of somebody else stays what it is: libvirt runs those in qemu.d beside it.
  if [ -e "$hooks/qemu" ] || [ -L "$hooks/qemu" ]; then
    make_folder "$hooks/qemu.d"
    link=$hooks/qemu.d/berth
  else
    link=$hooks/qemu
  fi
  as_root ln -s "$binary" "$link"
  say "linked $link"
  if [ "$first" = yes ]; then reload_libvirt; fi
}

has_proxmox() { [ -d /etc/pve/qemu-server ]; }

# VMs are left as they are: which of them Berth is for, the administrator says.
place_snippet() {
  has_proxmox || return 0
  make_folder "${snippet%/*/*}"
  make_folder "${snippet%/*}"
  as_root install -m 0755 "$folder/hooks/berth-hookscript" "$snippet"
  say "installed $snippet; to each VM that Berth is for, say"
  say "  qm set VMID --hookscript local:snippets/berth"
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

install_berth() {
  need_root
  build
  need_packages libsystemd0 libexpat1 libstdc++6
  # By a name of its own first: a hook that is running keeps the old program.
  as_root install -m 0755 "$built" "$binary.new"
  as_root mv -f "$binary.new" "$binary"
  say "installed $binary"
  as_root mkdir -p /etc/berth
  if [ ! -e "$policy" ]; then
    as_root install -m 0644 "$folder/hooks/berth.toml" "$policy"
    say "installed $policy, in which everything is commented out"
  fi
  install_documents
  install_units
  if [ -d /etc/libvirt ] || ! has_proxmox; then link_hook; fi
  place_snippet
  say "done: domains that need something of the host get it from their next start on"
}

uninstall_berth() {
  need_root
  if [ -x "$binary" ]; then
    as_root "$binary" release --all || fail "not everything could be given back; see above. Berth stays installed"
  fi
  for link in "$hooks/qemu" "$hooks/qemu.d/berth"; do
    if is_ours "$link"; then as_root rm -f "$link"; say "removed $link"; fi
  done
  remove_snippet
  remove_documents
  remove_units
  as_root rm -f "$binary"
  if [ -e "$policy" ] && cmp -s "$folder/hooks/berth.toml" "$policy"; then
    as_root rm -f "$policy"
  elif [ -e "$policy" ]; then
    say "kept $policy, as you have changed it"
  fi
  remove_folders
  remove_empty /etc/berth
  as_root rm -rf /run/berth
  reload_libvirt
  say "done: Berth is gone"
}

case $action in
  try) try ;;
  build) build ;;
  install) install_berth ;;
  uninstall) uninstall_berth ;;
esac
