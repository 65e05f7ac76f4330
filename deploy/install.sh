#!/usr/bin/env bash
# Installs fabctl on this computer, or brings it to the version of this folder. Run it as root:
#   sudo deploy/install.sh [--answers FILE] [--dry-run] [--wheels FOLDER] [--no-start] [--restart-machines]
#   sudo /opt/fabctl/current/deploy/install.sh --apply     after a change of /etc/fabctl/lab.toml
# --dry-run prints every step and changes nothing. --answers: lines KEY=VALUE, see questions().
# --wheels: Python packages from a folder, without a network. --no-start: enable, do not start.
# --restart-machines: do not ask whether a machine works from its own card: none does.
# It may be run again at any time: what is there stays. Raspberry Pi OS and Debian 12 or 13, 64-bit.
set -euo pipefail
umask 022
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
source_tree=$(dirname "$here")
# shellcheck source=deploy/install-steps.sh
. "$here/install-steps.sh"

answers="" apply="" wheels="" start=yes new="" stopped=""
lab_name="" lab_id="" time_zone="" language="" # the answers
while [ $# -gt 0 ]; do
    case $1 in
    --answers) answers=$(realpath "${2:?--answers FILE}") && shift ;;
    --wheels) wheels=$(realpath "${2:?--wheels FOLDER}") && shift ;;
    --dry-run) dry=yes ;;
    --apply) apply=yes ;;
    --no-start) start="" ;;
    --restart-machines) restart=yes ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 0 ;;
    *) fail "unknown option $1; see $0 --help" ;;
    esac
    shift
done
cd / # what is done as another user could not come back to root's or somebody's own folder

check_computer() {
    local id="" version_id="" arch
    if [ -r /etc/os-release ]; then
        id=$(sed -n 's/^ID="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release)
        version_id=$(sed -n 's/^VERSION_ID="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release)
    fi
    case $id in
    debian | raspbian) ;;
    *) fail "this is ${id:-no Debian}: Raspberry Pi OS or Debian is needed" ;;
    esac
    case $version_id in
    12 | 13) ;;
    *) fail "this is Debian ${version_id:-of an unknown version}: 12 or 13 is needed" ;;
    esac
    arch=$(dpkg --print-architecture)
    case $arch in
    amd64 | arm64) ;;
    *) fail "this system is $arch: a 64-bit one is needed (Raspberry Pi OS has it for every Pi since the 3)" ;;
    esac
    [ -n "$dry" ] || [ "$(id -u)" -eq 0 ] || fail "must be run as root: sudo $0"
}

install_packages() {
    step "Debian packages"
    local wanted=(python3 python3-venv openssl ca-certificates udev) missing=()
    [ "$role" != lab ] || wanted+=(mosquitto fonts-dejavu-core age) # age: backups for somebody's key only
    ! names_postgresql || wanted+=(postgresql-client) # pg_dump: no migration and no backup without
    [ "$kiosk" != yes ] || wanted+=(cage chromium)
    local package
    for package in "${wanted[@]}"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    run apt-get update -q
    run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

make_users() {
    step "Users: one for pages and records, one for machines, one for interlocks"
    local group
    for group in gpio dialout; do
        getent group "$group" >/dev/null || run groupadd --system "$group"
    done
    system_user fabctl "fabctl, pages and records"
    system_user fabctl-machine "fabctl, machines"
    system_user fabctl-interlock "fabctl, interlocks"
    [ "$kiosk" != yes ] || system_user fabctl-kiosk "fabctl, the screen"
}

install_program() {
    local version target
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$source_tree/fabctl/__init__.py")-$(fingerprint)
    target=$opt/$version
    step "The program: $target"
    if [ -e "$target/.complete" ]; then
        say "is there already"
    else
        run rm -rf "$target"
        run python3 -m venv "$target"
        pip_install "$target" --require-hashes --requirement "$here/requirements.lock"
        pip_install "$target" --no-index --no-deps --no-build-isolation "$source_tree"
        run cp -r "$here" "$target/deploy"
        [ ! -d "$source_tree/docs" ] || run cp -r "$source_tree/docs" "$target/docs"
        run touch "$target/.complete"
    fi
    new=$target
}

check_upgrade() { # the new version looks, before anything is stopped; there is none before the first one
    [ "$role" = lab ] && [ -e "$etc/lab.toml" ] && [ -L "$opt/current" ] || return 0
    step "What this version would change in the database, and whether now is a good moment"
    as_backup "$new/bin/fabctl" upgrade --check --config "$etc/lab.toml" ||
        fail "not now (above: why). Nothing was stopped; the version before goes on"
}

upgrade_database() { # with web and steward stopped: neither meets the other version's tables
    [ "$role" = lab ] && [ -e "$etc/lab.toml" ] || return 0
    step "The database: a backup, then what this version changes"
    if has_systemd && [ -e "$units/fabctl-web.service" ]; then
        run systemctl stop fabctl-web.service fabctl-steward.service
        stopped=yes
    fi
    as_backup "$new/bin/fabctl" upgrade --config "$etc/lab.toml" ||
        fail "the database could not be brought to this version; the one before goes on"
}

trap begin_again EXIT

use_program() {
    step "From now on: $new"
    local old
    old=$(readlink "$opt/current" 2>/dev/null || true)
    if [ "$old" != "$new" ]; then
        [ -z "$old" ] || run ln -sfn "$old" "$opt/previous"
        run ln -sfn "$new" "$opt/current.new"
        run mv -T "$opt/current.new" "$opt/current" # a rename: at no moment is there no program
    fi
    put /usr/local/bin/fabctl 0755 root:root <"$here/fabctl-wrapper.sh"
}

check_screen() { # whether the screen is free for the pages, and where they are
    if [ -e "$units/display-manager.service" ] && [ ! -e "$units/multi-user.target.wants/fabctl-kiosk.service" ] &&
        [ "$(systemctl get-default 2>/dev/null || true)" = graphical.target ]; then
        fail "kiosk=yes: a desktop holds this computer's screen. Take Raspberry Pi OS Lite, or have it start without:\
 sudo systemctl set-default multi-user.target, start it again, then run this again"
    fi
    if [ "$role" = machines ] && [ ! -e "$etc/kiosk.env" ]; then
        ask kiosk_url "At which address are the lab's pages (https://…)?" "" 'https?://[^[:space:]]+'
    fi
}

questions() { # each key may stand in the answers file
    step "Questions"
    remembered
    ask role "Does the whole lab run here (lab), or only some of its machines (machines)?" "${role:-lab}" 'lab|machines'
    ask kiosk "Shows this computer's own screen the pages (yes, no)?" "${kiosk:-no}" 'yes|no'
    [ "$kiosk" != yes ] || check_screen
    if [ -e "$etc/lab.toml" ]; then ask_which_host; fi
    [ "$role" = lab ] && [ ! -e "$etc/lab.toml" ] || return 0
    ask lab_name "What is the lab called?" "Fab Lab"
    ask lab_id "Its short name (a-z, 0-9, -)?" "$(slug "$lab_name")" '[a-z0-9-]+'
    ask host "A name for this computer (a-z, 0-9, -)?" "$(slug "$(hostname)")" '[a-z0-9-]+'
    ask time_zone "Its time zone?" "$(cat /etc/timezone 2>/dev/null || echo Europe/Paris)"
    ask language "Its first language (fr, en)?" fr 'fr|en'
}

write_lab() {
    step "What the lab is: $etc/lab.toml"
    run install -d -m 0755 "$etc"
    if [ -e "$etc/lab.toml" ]; then
        say "is there already; it stays as it is"
    elif [ "$role" = machines ]; then
        say "is not there yet: it comes from the lab's server with \`fabctl host join\`"
    else
        local second=en
        [ "$language" = fr ] || second=fr
        sed -e '1,/^$/d' -e "s|@ID@|$lab_id|; s|@HOST@|$host|; s|@DATA@|$data|" \
            -e "s|@LANGUAGES@|\"$language\", \"$second\"|" -e "s|@ZONE@|$(quoted "$time_zone")|" \
            -e "s|@NAME@|$(quoted "$lab_name")|" -e "s|@COMPUTER@|$(quoted "$(hostname)")|" \
            -e "$([ "$kiosk" = yes ] && echo 's|^#@KIOSK@||' || echo '/^#@KIOSK@/d')" \
            "$here/lab.toml.in" | put "$etc/lab.toml" 0640 root:fabctl
    fi
    [ -z "$kiosk_url" ] || printf '%s\n' "FABCTL_KIOSK_URL=$kiosk_url" | put "$etc/kiosk.env" 0644 root:root
    printf '%s\n' "role=$role" "kiosk=$kiosk" ${host:+"host=$host"} | put "$etc/install.conf" 0644 root:root
}

check_computer
if [ -n "$apply" ]; then
    remembered
    new=$opt/current
    install_packages
else
    questions
    install_packages
    make_users
    install_program
    write_lab
fi
make_folders
install_gpio
if [ -e "$etc/lab.toml" ] || [ -n "$dry" ]; then
    run "$new/bin/fabctl" check-config --config "$etc/lab.toml"
fi
if [ -z "$apply" ]; then
    check_upgrade
    upgrade_database
    use_program
fi
if [ -e "$etc/lab.toml" ] || [ -n "$dry" ]; then
    # a computer with machines only has its keys and its account from the lab's server
    if [ "$role" = lab ]; then
        make_keys
        configure_broker
    fi
fi
install_units
[ -n "$apply" ] || remove_old_versions
farewell
