# Read by install.sh, uninstall.sh and rollback.sh: places, and the steps that --apply does too.
# The units are in install-units.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the scripts that read this use what it sets, and set the rest
opt=/opt/fabctl etc=/etc/fabctl data=/var/lib/fabctl units=/etc/systemd/system broker=/etc/mosquitto/fabctl
system_python=/usr/lib/python3/dist-packages
dry="" role="" kiosk="" kiosk_url="" host="" changed="" restart=""

step() { printf '\n== %s\n' "$*"; }
say() { printf '   %s\n' "$*"; }
fail() { printf 'fabctl: %s\n' "$*" >&2; exit 1; }

run() { # run COMMAND...: show it, and do it unless this is a dry run
    printf '+'; printf ' %q' "$@"; printf '\n'
    [ -n "$dry" ] || "$@"
}

put() { # put FILE MODE OWNER:GROUP: the content comes on stdin; a file that is right is left alone
    local content
    content=$(cat; printf x)
    changed=""
    if [ -f "$1" ] && [ "$(cat "$1"; printf x)" = "$content" ]; then return 0; fi
    changed=yes
    printf '+ write %s (%s %s)\n' "$@"
    [ -z "$dry" ] || return 0
    install -d "$(dirname "$1")"
    if ! { printf %s "${content%x}" >"$1.new" && sync "$1.new"; }; then # sync FILE: Debian's coreutils
        rm -f "$1.new"
        fail "$1 could not be written, it is as it was; free some space on the disk of $(dirname "$1"), then run this again"
    fi
    chown "$3" "$1.new"
    chmod "$2" "$1.new"
    mv "$1.new" "$1"
    sync "$(dirname "$1")"
}

ask() { # ask KEY QUESTION DEFAULT [ALLOWED]: sets $KEY, from the answers file or from a person
    local found="" pattern=${4:-.+}
    if [ -n "$answers" ]; then
        found=$(sed -n "s/^$1=//p" "$answers" | tail -n 1)
        found=${found:-$3}
    elif [ -t 0 ]; then
        read -r -p "   $2 [$3] " found
        found=${found:-$3}
    elif [ -n "$dry" ]; then
        found=$3
    else
        fail "nobody is here to answer: give --answers FILE"
    fi
    [[ $found =~ ^($pattern)$ ]] || fail "$1 is '$found'; allowed: $pattern"
    printf -v "$1" %s "$found"
    say "$1: $found"
}

remembered() { # what an earlier run was told; without it nobody knows what this computer is
    if [ ! -r "$etc/install.conf" ]; then
        [ -z "${apply-yes}" ] || fail "$etc/install.conf is missing: run deploy/install.sh of the sources once more"
        return 0
    fi
    local key value
    while IFS='=' read -r key value; do
        case $key in role | kiosk | host) printf -v "$key" %s "$value" ;; esac
    done <"$etc/install.conf"
}

slug() { # a name for topics: a-z, 0-9 and -
    local word
    word=$(printf %s "$1" | iconv -f UTF-8 -t ASCII//TRANSLIT 2>/dev/null | tr '[:upper:]' '[:lower:]' | tr -cs 'a-z0-9' '-')
    word=${word#-} word=${word%-}
    case $word in "" | desk | dashboard) word=lab ;; esac
    printf %s "$word"
}

quoted() { # a TOML string's inside, safe in the replacement of sed's s|||
    printf %s "$1" | sed -e 's/\\/\\\\/g; s/"/\\"/g' -e 's/[\\&|]/\\&/g'
}

fingerprint() { # tells one state of the sources from another
    (cd "$source_tree" && find pyproject.toml fabctl drivers web hardware-sim deploy -type f \
        ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-8)
}

system_user() { # system_user NAME WHAT
    getent passwd "$1" >/dev/null || run useradd --system --user-group --home-dir /nonexistent \
        --no-create-home --shell /usr/sbin/nologin --comment "$2" "$1"
}

pip_install() { # pip_install ENVIRONMENT WORDS...
    local pip=("$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-input)
    [ -z "$wheels" ] || pip+=(--no-index --find-links "$wheels")
    run "${pip[@]}" "${@:2}" || fail "the Python packages are not all here (above: what pip says). Run this again\
 when there is a network, or with --wheels FOLDER, see deploy/README.md; what was installed before goes on"
}

install_gpio() { # what drives the GPIO chip: only where lab.toml has an interlock that is not simulated
    drives_gpio || return 0
    local file there='import importlib.util as u, sys; sys.exit(u.find_spec("lgpio") is None)'
    "$new/bin/python" -c "$there" 2>/dev/null && return 0
    step "The program of the GPIO chip"
    if python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
        pip_install "$new" --require-hashes --requirement "$here/requirements-gpio.lock"
        return 0
    fi # no wheel for a later Python: Raspberry Pi OS 13 has it as a Debian package, Debian 13 has not
    [ -e "$system_python/lgpio.py" ] || ! apt-cache show python3-lgpio >/dev/null 2>&1 ||
        run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3-lgpio
    [ -e "$system_python/lgpio.py" ] || [ -n "$dry" ] ||
        fail "the interlock needs lgpio, and Debian 13 has none: take Raspberry Pi OS or Debian 12, see deploy/README.md"
    for file in "$system_python/lgpio.py" "$system_python"/_lgpio.*.so; do
        run ln -sfn "$file" "$(echo "$new"/lib/python3.*/site-packages)/"
    done
}

names_postgresql() { [ -r "$etc/lab.toml" ] && grep -Eq '^[[:space:]]*url[[:space:]]*=[[:space:]]*["'"'"']postgres' "$etc/lab.toml"; }
drives_gpio() { has_interlocks && [ "$(grep -Ec '^\[interlocks\.[a-z0-9-]+\]' "$etc/lab.toml")" -gt "$(grep -c '^factory *= *"simulated"' "$etc/lab.toml")" ]; }
has_interlocks() { [ -r "$etc/lab.toml" ] && grep -q '^\[interlocks\.' "$etc/lab.toml"; }
has_systemd() { [ -d /run/systemd/system ]; }
is_active() { has_systemd && systemctl --quiet is-active "$1"; }
systemctl_() { if has_systemd; then run systemctl "$@"; fi; }
as_fabctl() { run setpriv --reuid fabctl --regid fabctl --init-groups "$@"; }
# A backup reads what machines and interlocks keep, as the unit fabctl-backup does.
as_backup() { run setpriv --reuid fabctl --regid fabctl --groups fabctl,fabctl-machine "$@"; }

begin_again() { # at the end of a run that failed half-way: pages and records were stopped for it
    [ "$?" -ne 0 ] && [ -n "$stopped" ] && [ -n "$start" ] || return 0
    say "it failed half-way; web and steward are started again" >&2
    run systemctl start fabctl-steward.service fabctl-web.service || say "they did not start: journalctl -u 'fabctl-*'" >&2
}

own() { # own file|folder MODE OWNER:GROUP NAME...: below $data, where no link is followed
    run python3 -I "$here/own.py" "$1" "$2" "$3" "$data" "${@:4}"
}

make_folders() {
    step "Folders below $data"
    run install -d -m 0711 -o fabctl -g fabctl "$data"
    own folder 0711 fabctl:fabctl keys broker
    own folder 2750 fabctl:fabctl-machine files
    own folder 0750 fabctl-machine:fabctl-machine machines
    own folder 0755 root:root interlocks
    local user # files of a version that kept them for their owner alone: the backup's group reads them
    for user in machine interlock; do
        run setpriv --reuid "fabctl-$user" --regid fabctl-machine --clear-groups \
            find "$data/${user}s" -user "fabctl-$user" -type f ! -name '*lock' ! -perm -g=r -exec chmod g+r {} +
    done
}

make_keys() {
    step "Keys: each readable by the one process that needs it, and by the steward"
    as_fabctl "$new/bin/fabctl" key create --config "$etc/lab.toml"
    local file
    for file in "$data"/keys/*.key; do
        [ -e "$file" ] || continue
        case $file in
        *.permit.key) own file 0640 fabctl:fabctl-interlock "keys/${file##*/}" ;;
        *) own file 0640 fabctl:fabctl-machine "keys/${file##*/}" ;;
        esac
    done
}

# What mosquitto reads at its start only: its configuration, and where there is the dynamic security
# plugin also users, rights and passwords. In the plugin's file salts differ each time it is written.
read_at_the_start() {
    [ ! -e "$broker/fabctl.conf" ] || sha256sum "$broker/fabctl.conf"
    [ -e "$broker/dynamic-security.json" ] || return 0
    python3 -I - "$broker/dynamic-security.json" 2>/dev/null <<'EOF' || true
import json, sys
told = json.load(open(sys.argv[1], encoding="utf-8"))
for client in told.get("clients", ()):
    client.pop("password", None), client.pop("salt", None)
print(json.dumps(told, sort_keys=True))
EOF
    cat "$data"/broker/*.password 2>/dev/null | sha256sum || true
}

configure_broker() {
    if ! grep -q '^url = "mqtts\{0,1\}://\(127\.0\.0\.1\|localhost\)' "$etc/lab.toml" 2>/dev/null && [ -z "$dry" ]; then
        step "The broker: lab.toml names one that is not configured here"
        return 0
    fi
    step "The broker: users, passwords and rights for mosquitto"
    local kept words=()
    kept=$(read_at_the_start)
    # a person's own words, such as BROKER_OPTIONS="--listen 0.0.0.0 …"; with or without the quotes
    if [ -r "$etc/broker.env" ]; then
        read -r -a words <<<"$(sed -n 's/^BROKER_OPTIONS=\(["'"'"']\{0,1\}\)\(.*\)\1$/\2/p' "$etc/broker.env")"
    fi
    run "$new/bin/fabctl" broker-config --config "$etc/lab.toml" --out "$broker" --owner mosquitto "${words[@]}"
    # the folder stays root's: what root writes there next time must not be led elsewhere
    run chown -h root:root "$broker"
    run ln -sfn ../fabctl/fabctl.conf /etc/mosquitto/conf.d/fabctl.conf
    put "$units/mosquitto.service.d/fabctl.conf" 0644 root:root <"$here/mosquitto-start.conf"
    [ -z "$changed" ] || systemctl_ daemon-reload
    local file user
    for file in "$data"/broker/*.password; do
        [ -e "$file" ] || continue
        user=$(basename "$file" .password)
        if [ "$user" = "$(this_host)" ]; then
            own file 0640 fabctl:fabctl-machine "broker/$user.password"
        else
            own file 0600 fabctl:fabctl "broker/$user.password"
        fi
    done
    systemctl_ enable mosquitto.service
    if [ "$kept" = "$(read_at_the_start)" ] && is_active mosquitto; then
        # Users and rights are read again. Its own reload needs /bin/kill, which a small Debian has not.
        run systemctl kill --kill-who=main --signal=HUP mosquitto.service
    else
        systemctl_ restart mosquitto.service
    fi
}

versions_at_work() { # the versions that a process has its program from, one a line
    local one
    for one in /proc/[0-9]*; do
        { tr '\0' '\n' <"$one/cmdline" && cat "$one/maps" && readlink "$one/cwd"; } 2>/dev/null || true
    done | grep -o "$opt/[^/[:space:]]*" | sort -u || true
}

remove_old_versions() { # all but the present one, the one before, and what interlocks and machines still run
    local folder working current before
    step "Older versions"
    current=$(readlink "$opt/current" || true) before=$(readlink "$opt/previous" || true)
    if [ -n "$dry" ] && [ "$current" != "$new" ]; then before=$current; fi # as it will be
    working=$(versions_at_work)
    for folder in "$opt"/*; do
        if [ -L "$folder" ] || [ ! -e "$folder/pyvenv.cfg" ]; then continue; fi
        case $folder in "$new" | "$before") continue ;; esac
        if grep -qxF "$folder" <<<"$working"; then
            say "$folder stays: a process that was not started again uses it"
        else
            say "$folder is used by nobody: $(du -sm "$folder" | cut -f1) MB"
            run rm -r "$folder"
        fi
    done
}

known_hosts() { sed -n 's/^ *\[hosts\.\([a-z0-9-]*\)\].*$/\1/p' "$etc/lab.toml" 2>/dev/null || true; }

ask_which_host() { # lab.toml was there before this computer was told: it was put back, or came with \`host join\`
    local hosts
    hosts=$(known_hosts)
    if [ -n "$host" ] && [ -n "$hosts" ] && ! grep -qxF "$host" <<<"$hosts"; then
        say "lab.toml has no host $host"
        host=""
    fi
    [[ -z $host && $hosts == *$'\n'* ]] || return 0
    ask host "Which host of lab.toml is this computer ($(paste -sd ' ' <<<"$hosts"))?" \
        "$(grep -xF "$(slug "$(hostname)")" <<<"$hosts" || true)" "$(paste -sd '|' <<<"$hosts")"
}

# shellcheck source=deploy/install-units.sh
. "$(dirname "${BASH_SOURCE[0]}")/install-units.sh"

farewell() {
    if has_systemd && [ -n "$start" ] && [ "$role" = lab ]; then
        step "What is wrong now, if anything"
        run "$new/bin/fabctl" doctor --config "$etc/lab.toml" || say "see above; again with: sudo fabctl doctor"
    fi
    step "Done${dry:+: this was a dry run, nothing has been changed}"
    has_systemd || say "systemd does not run here: units are in place, nothing was started"
    if [ "$role" = machines ]; then
        [ -e "$etc/lab.toml" ] || say "next: sudo fabctl host join https://…, with a code of the lab's server; then"
        [ -e "$etc/lab.toml" ] || say "      sudo $opt/current/deploy/install.sh --apply"
        return 0
    fi
    say "next: fabctl find-machines, put their lines into $etc/lab.toml, then"
    say "      sudo $opt/current/deploy/install.sh --apply"
    say "and:  sudo fabctl person add LOGIN NAME --role admin   (see fabctl person add --help)"
    say "running interlocks keep the version that they started with until they are started again"
}
