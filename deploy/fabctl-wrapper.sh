#!/bin/sh
# fabctl as an installed lab has it. What root types about people and bookings is done by the lab's
# own user: a file of root's in the data directory would keep the lab out of it.
program=/opt/fabctl/current/bin/fabctl
if [ "$(id -u)" -eq 0 ]; then
    case ${1:-} in
    "" | -* | key | broker-config | units | find-machines | interlock | stream | terminal | doctor | host | restore | upgrade) ;;
    *) exec setpriv --reuid fabctl --regid fabctl --init-groups "$program" "$@" ;;
    esac
fi
exec "$program" "$@"
