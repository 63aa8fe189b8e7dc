#!/bin/sh
# Refuses passwords that nobody chose: missing, empty, short, or those of an example. Run by docker-compose.yml before
# anything else, as a user without rights, so that what it can read the services can read too.
#
#   check-secrets.sh [FOLDER [FOLDER OF REDIS]]     default: /run/secrets /run/redis-secrets
set -eu

secrets=${1:-/run/secrets}
redis=${2:-/run/redis-secrets}
bad=0
refuse() {
    echo "check-secrets: $*" >&2
    bad=1
}

check() {
    if [ ! -f "$1" ]; then
        refuse "the password file $(basename "$1") is missing: run deploy/secrets.sh"
    elif [ ! -r "$1" ]; then
        refuse "the password file $(basename "$1") cannot be read inside a container: chmod 0444 it, in a folder of 0700"
    else
        password=$(cat "$1")
        case $(printf %s "$password" | tr '[:upper:]' '[:lower:]') in
        '') refuse "the password file $(basename "$1") is empty: run deploy/secrets.sh" ;;
        change-me* | changeme* | example* | password* | secret* | postgres* | redis*)
            refuse "the password in $(basename "$1") is an example's: put one of your own there, or run deploy/secrets.sh" ;;
        ????????????*) ;;
        *) refuse "the password in $(basename "$1") has ${#password} characters: take 12 or more" ;;
        esac
    fi
}

for name in postgres database_owner database_worker database_reader grafana_admin; do
    check "$secrets/${name}_password"
done
for user in worker metrics admin $INSERTS_STATIONS; do
    check "$redis/redis_${user}_password"
done
if [ "$bad" = 0 ]; then
    echo "check-secrets: the passwords are there, and are not those of an example"
    exit 0
fi
echo "check-secrets: nothing was started" >&2
exit 78 # EX_CONFIG
