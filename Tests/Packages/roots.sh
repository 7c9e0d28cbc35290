# Fresh roots of Debian to install packages in, and what is compared of them. Source it after Tests/words.sh.
# shellcheck shell=bash disable=SC2034,SC2154 # who reads this uses what is not used here

roots=$(readlink -f "$hosts/../..")/.build/packages
mirror=${MIRROR:-http://deb.debian.org/debian}
mkdir -p "$roots"

# fetch_root SUITE [PACKAGE…]: a root is fetched once; with packages it is $roots/SUITE-FIRST.tar.
fetch_root() {
  local name=$1${2:+-$2} packages=("${@:2}")
  [ -s "$roots/$name.tar" ] && return
  # A mirror may be a snapshot.
  # shellcheck disable=SC2016 # for the shell of the hook
  mmdebstrap --quiet --variant=essential --aptopt='Acquire::Check-Valid-Until "false"' \
    --include="$(IFS=, && echo "${packages[*]}")" \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/*' "$1" "$roots/$name.new.tar" "$mirror" >"$stage/$name.log" 2>&1 \
    && mv "$roots/$name.new.tar" "$roots/$name.tar"
}

# enter_root NAME SUITE: a fresh root to work in.
enter_root() {
  suite=$1
  root=$stage/root
  rm -rf "$root"
  mkdir "$root"
  tar -C "$root" -xf "$roots/$2.tar"
}

# inside COMMAND…: runs it in the root, with a /proc of its own.
inside() {
  # shellcheck disable=SC2016 # for the shell in there
  unshare --mount --pid --fork sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" \
    env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}

# Every file, folder and link, with its mode and owner; of files also size and time, of configuration the bytes. What
# package managers keep for themselves is not in it.
tree() {
  (cd "$root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/log \
    -o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/lib/rpm \) -prune -o \
    \( -type f -printf '%y %m %U:%G %s %T@ %p\n' -o -printf '%y %m %U:%G %p %l\n' \) \
    && find ./etc -type f -exec sha256sum {} +) | sort
}

before() { tree >"$stage/before"; check "$suite: there is a root to compare with" test -s "$stage/before"; }
unchanged() { check "$suite: $1" diff "$stage/before" <(tree); }
leads() { check_equal "$suite: $1 leads to Berth" /usr/sbin/berth "$(readlink "$root$1")"; }
gone() {
  if [ -e "$root$1" ] || [ -L "$root$1" ]; then fail "$suite: $1 is gone"; else ok "$suite: $1 is gone"; fi
}
there() { check "$suite: $1 is there" test -e "$root$1"; }
# step NAME STATUS WORDS COMMAND…
step() { said "$suite: $1" "$2" "$3" inside "${@:4}"; }
