#!/usr/bin/env bash
# Goes back to the version that was installed before the present one (and again: forward). As root:
#   sudo /opt/fabctl/current/deploy/rollback.sh [--database FILE] [--dry-run]
# An older version cannot use a database that a newer one has migrated. --database puts the copy that
# was made before that (in the folder backups) in its place; what was recorded since is set aside.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=deploy/install-steps.sh
. "$here/install-steps.sh"
database=""
while [ $# -gt 0 ]; do
    case $1 in
    --database) database=$(realpath "${2:?--database FILE}") && shift ;;
    --dry-run) dry=yes ;;
    *) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    esac
    shift
done
[ -n "$dry" ] || [ "$(id -u)" -eq 0 ] || fail "must be run as root: sudo $0"
now=$(readlink "$opt/current") || fail "nothing is installed in $opt"
before=$(readlink "$opt/previous") || fail "there is no version before $now"
[ -x "$before/bin/fabctl" ] || fail "$before is not complete"
new=$before start=yes
remembered

swap() { # swap TO FROM
    run ln -sfn "$2" "$opt/previous"
    run ln -sfn "$1" "$opt/current.new"
    run mv -T "$opt/current.new" "$opt/current"
}

step "From $now back to $before"
if [ "$role" = lab ]; then
    systemctl_ stop fabctl-web.service fabctl-steward.service
    if [ -n "$database" ]; then
        aside=$data/lab.db.$(date -u +%Y%m%dT%H%M%SZ)
        for part in "" -wal -shm; do
            [ ! -e "$data/lab.db$part" ] || run mv "$data/lab.db$part" "$aside$part"
        done
        run install -m 0600 -o fabctl -g fabctl "$database" "$data/lab.db"
        say "the database as it was is $aside"
    fi
    if ! as_fabctl "$before/bin/fabctl" migrate --config "$etc/lab.toml"; then
        for part in "" -wal -shm; do
            [ -z "$database" ] || [ ! -e "$aside$part" ] || run mv "$aside$part" "$data/lab.db$part"
        done
        systemctl_ start fabctl-steward.service fabctl-web.service || say "these did not start either"
        fail "$before cannot use the database; nothing has changed. Copies: ls $data/backups; then --database FILE"
    fi
fi
swap "$before" "$now"
here=$before/deploy
install_units
step "Done: this is $(basename "$before"); forward again with the same command"
