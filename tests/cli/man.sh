#!/bin/bash
# usage: man.sh IREZONE MANUAL
# The manual page names every command, every option of each and every topic that the program's own help names, and every exit
# status; groff has nothing to complain of.
set -Eeuo pipefail
irezone=$1 manual=$2
trap 'echo "FAILED in line $LINENO"' ERR
text=$(sed 's/\\-/-/g; s/\\&//g' "$manual")
failures=0
wanted() {
  if ! grep -qE -- "(^|[^A-Za-z-])$2([^A-Za-z-]|\$)" <<<"$text"; then
    echo "the manual page lacks $1"
    failures=$((failures + 1))
  fi
}

commands=$("$irezone" help | sed -n 's/^  \([a-z]\+\)  .*/\1/p' | sort -u)
[ "$(wc -w <<<"$commands")" -ge 6 ]
for command in $commands; do
  wanted "the command $command" "$command"
  options=$("$irezone" help "$command" | { grep -oE -- '(^|[^A-Za-z-])--?[a-z][a-z-]*' || true; } | sed 's/^[^-]*//' | sort -u)
  for option in $options; do
    wanted "$option, an option of $command" "$option"
  done
done
for topic in plan results; do
  "$irezone" help "$topic" >/dev/null
  wanted "the topic $topic" "$topic"
done
for status in 0 2 3 4 5 6 75; do
  grep -qxE -- "\.(B|TP|BR?) $status" <<<"$text" || { echo "the manual page lacks the exit status $status"; failures=$((failures + 1)); }
done
if command -v groff >/dev/null; then
  complaints=$(groff -man -Tutf8 -ww -z "$manual" 2>&1)
  [ -z "$complaints" ] || { echo "$complaints"; failures=$((failures + 1)); }
fi
[ $failures -eq 0 ]
