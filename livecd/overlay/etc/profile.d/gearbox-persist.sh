# shellcheck shell=sh
# Offers the operator who logs in at the console a disk that keeps a session in memory, until one declines (gearbox admin persist).
if [ "${LOGNAME:-}" = gearbox ] && [ ! -e /run/live/notes/offered ] && [ "$(cat /run/live/notes/data 2>/dev/null)" = memory ]; then
    case $(tty) in
        /dev/tty[0-9]* | /dev/ttyS* | /dev/hvc*)
            trap : INT # at the question; the rest of the login is to follow
            sudo -n /usr/libexec/gearbox/persist --offer || true
            trap - INT
            ;;
    esac
fi
