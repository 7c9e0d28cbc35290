# What the scripts of Tests/Recorded begin with: the binary they are given, a folder that goes when they end, and how they
# say what they found. Source it.
# shellcheck shell=bash disable=SC2034 # the scripts use what is not used here

set -u
umask 022
berth=$(readlink -f "$1")
hosts=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/Hosts
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/host

# --- what is said ---------------------------------------------------------------------------------

ok() { echo "ok $1"; }
fail() { echo "FAIL $1${2:+: $2}"; }

# hear COMMAND…: what it says is in $output, and how it ends in $code.
hear() {
  output=$("$@" 2>&1)
  code=$?
}

# check NAME COMMAND…: the command has to succeed.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then ok "$name"; else fail "$name" "$output"; fi
}

# check_equal NAME EXPECTED FOUND
check_equal() {
  if [ "$2" = "$3" ]; then ok "$1"; else fail "$1" "'$3', not '$2'"; fi
}

# said NAME STATUSES WORDS COMMAND…: the command has to end with one of these and say the words.
said() {
  local name=$1 statuses=$2 words=$3 output code
  hear "${@:4}"
  if [[ " $statuses " == *" $code "* && $output == *"$words"* ]]; then ok "$name"
  else fail "$name" "status $code: $output"; fi
}

# answer NAME STATUSES WORDS ARGUMENT…: Berth has to.
answer() { said "${@:1:3}" "$berth" "${@:4}"; }

# --- a recorded host ------------------------------------------------------------------------------

unpack_workstation() {
  rm -rf "$root"
  "$berth" recorded unpack "$hosts/two-node-workstation.host" "$root"
}

# remember: what unchanged compares with.
remember() {
  rm -rf "$stage/before"
  cp -a "$root" "$stage/before"
}

fresh() { unpack_workstation && remember; }

# unchanged NAME: the host is as it was; what the recorded kernel keeps for itself is no part of it.
unchanged() {
  rm -rf "$root/run/berth" "$root/recorded" "$stage/before/recorded"
  check "$1" diff -r --no-dereference "$stage/before" "$root"
}
