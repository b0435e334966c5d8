#!/bin/sh
# usage: make_locale.sh FOLDER
# Make the locale de_DE.UTF-8 in a folder, for LOCPATH. Without the sources (Debian's package `locales`) the folder stays
# empty, and what needs it says so and skips.
mkdir -p "$1"
[ -e "$1/de_DE.UTF-8/LC_NUMERIC" ] && exit 0
if [ ! -e /usr/share/i18n/locales/de_DE ] || ! command -v localedef >/dev/null; then
  echo "skipped: no sources of locales; install the package locales"
  exit 0
fi
localedef -i de_DE -f UTF-8 "$1/de_DE.UTF-8"
