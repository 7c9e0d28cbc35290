#!/bin/bash
# Looks at what a terminal is sent, with a terminal: the other screen of --watch and its keys, and colours or none.
#
# usage: Tests/Recorded/terminal.sh BERTH
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"

if ! command -v script >/dev/null; then
  echo "left out: here is no script(1) to be a terminal"
  exit 0
fi
fresh
"$berth" replay gaming prepare --libvirt "$hosts/gaming.xml" --root "$root" >/dev/null
watch="stty rows 24 cols 80; '$berth' status --watch --root '$root'; echo \"ended with \$?; \$(stty -a | grep -o '.icanon\|.echo ' | tr '\n' ' ')\""

# on_terminal COMMAND: what the terminal gets of it, and nothing for longer than a minute.
on_terminal() { TERM=${TERM_KIND:-xterm} timeout 60 script -qec "$1" /dev/null; }

# has NAME TEXT FOUND
has() { if [[ $3 == *"$2"* ]]; then ok "$1"; else fail "$1" "$3"; fi; }
has_not() { if [[ $3 != *"$2"* ]]; then ok "$1"; else fail "$1" "$3"; fi; }

output=$(printf q | on_terminal "$watch")
has "--watch draws on the other screen" $'\e[?1049h' "$output"
has "and gives the terminal back" $'\e[?25h\e[?1049l' "$output"
has "q ends it well" "ended with 0;" "$output"
has "keys are as they were" "icanon" "$output"
has_not "and typed keys are seen again" "-icanon" "$output"
has "it shows what is held" "8192" "$output"
mapfile -t lines < <(printf '%s' "${output#*1049h}" | sed 's/\x1b\[[0-9;?]*[A-Za-z]//g')
wide=0
for line in "${lines[@]}"; do ((${#line} <= 81)) || wide=1; done
check_equal "no line is wider than the window" 0 $wide

output=$(on_terminal "stty rows 24 cols 80; '$berth' status --watch --root '$root' & watcher=\$!
  until [ -s '$stage/drawn' ]; do '$berth' status --root '$root' >'$stage/drawn'; done
  kill -TERM \$watcher; wait \$watcher; echo ended with \$?" </dev/null)
has "a signal ends it" "ended with 143" "$output"
check_equal "and the terminal is given back as often as it was taken" \
  "$(grep -o '1049h' <<<"$output" | wc -l)" "$(grep -o '1049l' <<<"$output" | wc -l)"

status="'$berth' status --root '$root'"
has "a terminal is coloured" $'\e[' "$(on_terminal "$status" </dev/null)"
has_not "not with NO_COLOR=1" $'\e[' "$(NO_COLOR=1 on_terminal "$status" </dev/null)"
has "an empty NO_COLOR says nothing" $'\e[' "$(NO_COLOR='' on_terminal "$status" </dev/null)"
has_not "a dumb terminal gets plain text" $'\e[' "$(TERM_KIND=dumb on_terminal "$status" </dev/null)"

documents=$(timeout 10 "$berth" status --watch --json --root "$root" | head -2)
check_equal "--watch --json is one document a line" 2 "$(grep -c '^{"guards.*}$\|^{.*"schema":1.*}$' <<<"$documents")"
