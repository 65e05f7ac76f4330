#!/usr/bin/env bash
# Takes fabctl off this computer; the lab's data, its lab.toml and the users stay. As root:
#   sudo deploy/uninstall.sh [--dry-run]
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=deploy/install-steps.sh
. "$here/install-steps.sh"
case ${1:-} in
"") ;;
--dry-run) dry=yes ;;
*) sed -n '2,3s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
[ -n "$dry" ] || [ "$(id -u)" -eq 0 ] || fail "must be run as root: sudo $0"

busy=("$data"/machines/*/running.json)
[ ! -e "${busy[0]}" ] || [ -n "$dry" ] || fail "a machine is at work (${busy[0]}): wait for its end, or stop it"

step "Units"
shopt -s nullglob
first=("$units"/*.target.wants/fabctl-[!i]*)
interlocks=("$units"/*.target.wants/fabctl-interlock@*) # last: a machine that stops needs its own
for wanted in "${first[@]}" "${interlocks[@]}"; do
    name=$(basename "$wanted")
    if has_systemd; then run systemctl disable --now "$name"; else run rm "$wanted"; fi
done
for file in "$units"/fabctl-*.service "$units"/fabctl-*.timer; do run rm "$file"; done
for file in "$units"/fabctl-machine@*.service.d/network.conf; do run rm "$file"; done # the installer's
for folder in "$units"/fabctl-*.d; do run rmdir --ignore-fail-on-non-empty "$folder"; done
[ ! -e /etc/udev/rules.d/70-fabctl.rules ] || run rm /etc/udev/rules.d/70-fabctl.rules
[ ! -e "$units/mosquitto.service.d/fabctl.conf" ] || run rm "$units/mosquitto.service.d/fabctl.conf"
[ ! -d "$units/mosquitto.service.d" ] || run rmdir --ignore-fail-on-non-empty "$units/mosquitto.service.d"
systemctl_ daemon-reload

step "The broker's users and rights"
if [ -L /etc/mosquitto/conf.d/fabctl.conf ]; then
    run rm /etc/mosquitto/conf.d/fabctl.conf
    run rm -r "$broker"
    systemctl_ restart mosquitto.service || say "mosquitto did not start: is it still installed?"
fi

step "The program"
[ ! -e /usr/local/bin/fabctl ] || run rm /usr/local/bin/fabctl
[ ! -e "$opt" ] || run rm -r "$opt"

step "Left as they are"
say "$data: people, bookings, jobs, keys. Gone for good with: rm -r $data"
say "$etc: lab.toml. And the users fabctl, fabctl-machine, fabctl-interlock; mosquitto itself."
for folder in "$units"/fabctl-*.d; do
    if [ -n "$dry" ] && [ "$(ls "$folder")" = network.conf ]; then continue; fi
    say "$folder: your own changes (systemctl edit)"
done
say "where an interlock was: no suspend; again with: systemctl unmask sleep.target suspend.target hibernate.target hybrid-sleep.target"
