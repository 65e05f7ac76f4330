# Read by install-steps.sh: which units this computer has, and which of them start now.
# shellcheck shell=bash
# shellcheck disable=SC2154  # the scripts that read this set what it uses
this_host() { # which host of lab.toml this computer is: as it was told, the only one, or by its name
    local hosts
    if [ -n "$host" ]; then printf %s "$host" && return 0; fi
    hosts=$(known_hosts)
    case $hosts in
    "") printf here ;;
    *$'\n'*) slug "$(hostname)" ;;
    *) printf %s "$hosts" ;;
    esac
}

planned() { # the units of this computer, one a line: NAME network|local
    local words=()
    [ "$role" = lab ] || words+=(--machines-only)
    [ -z "$host" ] || words+=(--host "$host")
    if [ -e "$etc/lab.toml" ] && [ -x "$new/bin/fabctl" ]; then
        "$new/bin/fabctl" units --config "$etc/lab.toml" "${words[@]}"
    fi
    [ "$kiosk" != yes ] || echo "fabctl-kiosk.service network"
}

install_units() {
    step "systemd's units"
    local file name where plan
    # shellcheck disable=SC2094  # two different files
    for file in "$here"/systemd/*; do put "$units/$(basename "$file")" 0644 root:root <"$file"; done
    # shellcheck disable=SC2094  # two different files
    put /etc/udev/rules.d/70-fabctl.rules 0644 root:root <"$here/udev/70-fabctl.rules"
    if [ -n "$changed" ] && [ -S /run/udev/control ]; then run udevadm control --reload; fi
    plan=$(planned)
    while read -r name where; do
        case $name-$where in fabctl-machine@*-network)
            printf '[Service]\n# Its broker, or the machine itself, is on another computer.\nIPAddressAllow=any\n' |
                put "$units/$name.d/network.conf" 0644 root:root ;;
        fabctl-machine@*) [ ! -e "$units/$name.d/network.conf" ] || run rm "$units/$name.d/network.conf" ;;
        esac
    done <<<"$plan"
    if has_interlocks; then # a computer that sleeps guards nothing
        systemctl_ mask sleep.target suspend.target hibernate.target hybrid-sleep.target
    fi
    systemctl_ daemon-reload
    enable_units "$plan"
}

# Starting a machine's process again opens its port, and that resets many boards: also one that works
# from its own card, which nobody here can see.
ask_about_machines() { # ask_about_machines PLAN: sets $restart to yes or no
    local name any=""
    while read -r name _; do
        case $name in fabctl-machine@*) ! is_active "$name" || any=yes ;; esac
    done <<<"$1"
    [ -n "$any" ] && [ -z "$restart" ] || return 0
    if [ -t 0 ] && [ -z "$dry" ]; then
        read -r -p "   Machines' processes start again: boards are reset. Is every machine at rest, also those with a card of their own (yes, no)? [no] " restart
    fi
    [ "$restart" = yes ] || restart=no
}

enable_units() { # enable_units PLAN
    local name left
    if has_systemd && [ -n "$start" ]; then ask_about_machines "$1"; fi
    for left in "$units"/*.target.wants/fabctl-machine@* "$units"/*.target.wants/fabctl-interlock@*; do
        [ -L "$left" ] || continue
        name=$(basename "$left")
        grep -q "^$name " <<<"$1" || { say "$name is not in lab.toml any more"; run systemctl disable --now "$name"; }
    done
    while read -r name _; do
        [ -n "$name" ] || continue
        if command -v systemctl >/dev/null; then run systemctl enable --quiet "$name"; fi
        [ -z "$start" ] || start_unit "$name"
    done <<<"$1"
}

start_unit() { # start_unit NAME: machines at work and interlocks are not disturbed
    local machine=${1#*@}
    machine=${machine%.service}
    case $1 in
    fabctl-interlock@*) systemctl_ start "$1" ;;
    fabctl-machine@*)
        if [ -e "$data/machines/$machine/running.json" ]; then
            say "$machine is at work; later: systemctl restart $1"
        elif [ "$restart" = no ] && is_active "$1"; then
            say "$machine goes on with what it has; when it is at rest: systemctl restart $1"
        else
            systemctl_ restart "$1"
        fi ;;
    *) systemctl_ restart "$1" || say "$1 did not start: journalctl -u $1" ;;
    esac
}
