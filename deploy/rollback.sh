#!/usr/bin/env bash
# Goes back to the version that was installed before the present one (and again: forward). As root:
#   sudo /opt/fabctl/current/deploy/rollback.sh [--database FILE] [--dry-run] [--restart-machines]
# An older version cannot use a database that a newer one has migrated. --database puts the copy that
# was made before that (in the folder backups) in its place; what was recorded since is set aside.
# A PostgreSQL database is put back by pg_restore, before.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
# shellcheck source=deploy/install-steps.sh
. "$here/install-steps.sh"
database=""
while [ $# -gt 0 ]; do
    case $1 in
    --database) database=$(realpath "${2:?--database FILE}") && shift ;;
    --dry-run) dry=yes ;;
    --restart-machines) restart=yes ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
    esac
    shift
done
cd / # what is done as another user could not come back to root's own folder
[ -n "$dry" ] || [ "$(id -u)" -eq 0 ] || fail "must be run as root: sudo $0"
now=$(readlink "$opt/current") || fail "nothing is installed in $opt"
before=$(readlink "$opt/previous") || fail "there is no version before $now"
[ -x "$before/bin/fabctl" ] || fail "$before is not complete"
new=$before start=yes stopped=""
remembered
trap begin_again EXIT

swap() { # swap TO FROM
    run ln -sfn "$2" "$opt/previous"
    run ln -sfn "$1" "$opt/current.new"
    run mv -T "$opt/current.new" "$opt/current"
}

move_database() { # move_database FROM TO, with its log: the log of another one would be played into it
    local part
    as_fabctl rm -f "$2" "$2-wal" "$2-shm"
    for part in "" -wal -shm; do
        [ ! -e "$1$part" ] || as_fabctl mv "$1$part" "$2$part"
    done
}

stay_here() { # stay_here WHY: everything as it was
    if [ -n "$database" ]; then move_database "$aside" "$used"; fi
    systemctl_ start fabctl-steward.service fabctl-web.service || say "these did not start either"
    stopped=""
    fail "$1; nothing has changed"
}

used="" aside="" # the file of the lab's database, and where it goes meanwhile
if [ "$role" = lab ] && [ -n "$database" ]; then
    used=$("$before/bin/fabctl" check-config --config "$etc/lab.toml" | sed -n 's|^database  *sqlite:///||p')
    [ -n "$used" ] || fail "the lab's database is PostgreSQL: put the copy back with pg_restore, then run this without --database"
fi

step "From $now back to $before"
if [ "$role" = lab ]; then
    systemctl_ stop fabctl-web.service fabctl-steward.service
    # with a copy on its way into place they stay stopped: they would begin a new lab without one
    if has_systemd && [ -z "$database" ]; then stopped=yes; fi
    if [ -n "$database" ]; then
        aside=$used.$(date -u +%Y%m%dT%H%M%SZ)
        move_database "$used" "$aside"
        as_fabctl install -m 0600 "$database" "$used" || stay_here "the user fabctl cannot read $database"
        say "the database as it was is $aside"
    fi
    as_fabctl "$before/bin/fabctl" migrate --config "$etc/lab.toml" ||
        stay_here "$before cannot use the database. Copies: ls $data/backups; then --database FILE"
fi
swap "$before" "$now"
here=$before/deploy
install_units
step "Done: this is $(basename "$before"); forward again with the same command"
