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
       ./install.sh --binary FILE install a binary that is built already, as in a release
       ./install.sh --no-reload   leave libvirt's daemon alone; the hook works after its next restart
       ./install.sh --into FOLDER put the files into a folder, as for a package; links and starts nothing
END
}

folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
policy=/etc/berth/berth.toml
action=install
built=
into=
reload=yes

while [ $# -gt 0 ]; do
  case $1 in
    --try) action=try ;;
    --build) action=build ;;
    --uninstall) action=uninstall ;;
    --binary) built=${2:?--binary needs a file}; shift ;;
    --no-reload) reload=no ;;
    --into) action=stage; into=${2:?--into needs a folder}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

# shellcheck source=hooks/linking.sh
. "$folder/hooks/linking.sh"

fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

# Before anything is built for nothing.
need_root() {
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null \
    || fail "this needs root: run it as root, or install sudo"
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
  # A release has the program beside this script.
  if [ -z "$built" ] && [ -x "$folder/berth" ]; then built=$folder/berth; fi
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

# What is installed where, besides the program.
pages='docs/man/berth.8:/usr/share/man/man8/berth.8
docs/man/berth.toml.5:/usr/share/man/man5/berth.toml.5'
units=/usr/lib/systemd/system
rule=/usr/lib/udev/rules.d/90-berth.rules
zsh=/usr/share/zsh/site-functions
if command -v dpkg >/dev/null; then zsh=/usr/share/zsh/vendor-completions; fi
# Where each shell looks for what packages bring it, behind the name of the shell.
completions="bash:/usr/share/bash-completion/completions/berth
zsh:$zsh/_berth
fish:/usr/share/fish/vendor_completions.d/berth.fish"

# put MODE FILE PLACE: installs a file, with the folders above it.
put() {
  if [ -n "$into" ]; then install -D -m "$1" -- "$2" "$into$3"; return; fi
  make_folders "$3"
  as_root install -m "$1" -- "$2" "$3"
}

put_documents() {
  for page in $pages; do put 0644 "$folder/${page%%:*}" "${page#*:}"; done
  script=$(mktemp)
  for completion in $completions; do
    # Berth does without a completion that cannot be had.
    "$built" --generate-completion-script "${completion%%:*}" >"$script" || continue
    # It is read by a shell, and not run.
    sed -i '1{/^#!/d}' "$script"
    put 0644 "$script" "${completion#*:}"
  done
  rm -f "$script"
}

install_documents() {
  put_documents
  say "installed the manual pages berth(8) and berth.toml(5), and completions for bash, zsh and fish"
}

remove_documents() {
  for page in $pages; do as_root rm -f "${page#*:}"; done
  for completion in $completions; do as_root rm -f "${completion#*:}"; done
}

put_units() {
  for unit in $repairs $metrics; do put 0644 "$folder/hooks/$unit" "$units/$unit"; done
  put 0644 "$folder/hooks/90-berth.rules" "$rule"
}

install_units() {
  if ! command -v systemctl >/dev/null; then
    say "not installed, as there is no systemd: the units that repair after sleep and follow what changes about VMs"
    return 0
  elif [ ! -d "$units" ]; then
    say "not installed, as there is no $units: the units that repair after sleep and follow what changes"
    say "about VMs. Add $folder/hooks/berth-*.service and *.path to your systemd's units (on NixOS: systemd.packages),"
    say "and 90-berth.rules to udev's (services.udev.packages)"
    return 0
  fi
  put_units
  make_folders /etc/systemd/system/
  enable_units
  say "installed berth-reconcile.service, which repairs after sleep and after CPUs were offline, and follows"
  say "what changes about VMs while they run; and berth-metrics.timer, which is not enabled"
}

remove_units() {
  [ -e "$units/berth-reconcile.service" ] || return 0
  disable_units
  for unit in $repairs $metrics; do as_root rm -f "$units/$unit"; done
  as_root rm -f "$rule"
  reload_units
}

# What the program needs is asked of the program: a package has another name everywhere.
need_libraries() {
  missing=$(ldd "$built" 2>/dev/null | sed -n 's/^[[:space:]]*\(.*\) => not found$/\1/p')
  if [ -n "$missing" ] && command -v apt-get >/dev/null; then
    need_packages libexpat1 libstdc++6
    missing=$(ldd "$built" 2>/dev/null | sed -n 's/^[[:space:]]*\(.*\) => not found$/\1/p')
  fi
  # shellcheck disable=SC2086 # one word for each library
  [ -z "$missing" ] || fail "libraries are missing; install the packages that hold them:" $missing
  if ! complaint=$("$built" version 2>&1); then
    if [ -e /etc/NIXOS ]; then
      complaint="$complaint; on NixOS, programs of elsewhere need: programs.nix-ld.enable = true;"
    fi
    fail "the program does not run here: $complaint"
  fi
  # Loaded by its first use: without it Berth has neither slices nor guard units.
  if [ -d /run/systemd/system ] && command -v ldconfig >/dev/null \
    && ! ldconfig -p 2>/dev/null | grep -q 'libsystemd\.so\.0'; then
    say "libsystemd.so.0 is missing: without it Berth has no guard units and no slices"
  fi
}

# What a package manager has put there is not this script's to change.
refuse_package() {
  [ -e "$binary" ] || return 0
  if dpkg-query -S "$binary" >/dev/null 2>&1; then
    fail "Berth is installed from a package: apt-get remove berth, or upgrade that"
  elif rpm -qf "$binary" >/dev/null 2>&1; then
    fail "Berth is installed from a package: dnf remove berth, or upgrade that"
  fi
}

# All that a package has, in a folder; its scripts link, enable and give back by linking.sh.
stage() {
  build
  put 0755 "$built" "$binary"
  put 0644 "$folder/hooks/berth.toml" "$policy"
  put 0644 "$folder/hooks/linking.sh" /usr/share/berth/linking.sh
  put 0755 "$folder/hooks/berth-hookscript" /usr/share/berth/berth-hookscript
  put_documents
  put_units
}

install_berth() {
  need_root
  refuse_package
  build
  need_libraries
  as_root mkdir -p "${policy%/*}"
  make_folders "$binary"
  # By a name of its own first: a hook that is running keeps the old program.
  as_root install -m 0755 "$built" "$binary.new"
  as_root mv -f "$binary.new" "$binary"
  say "installed $binary"
  if [ ! -e "$policy" ]; then
    as_root install -m 0644 "$folder/hooks/berth.toml" "$policy"
    say "installed $policy, in which everything is commented out"
  fi
  install_documents
  install_units
  place_hooks "$folder/hooks/berth-hookscript" || fail "Berth is installed, and nothing calls it yet; see above"
  say "done: domains that need something of the host get it from their next start on"
}

uninstall_berth() {
  need_root
  refuse_package
  give_back || fail "not everything could be given back; see above. Berth stays installed"
  unlink_hook
  remove_snippet
  remove_documents
  stop_metrics
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
  stage) stage ;;
esac
