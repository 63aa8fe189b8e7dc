#!/bin/sh
# Makes the passwords that docker-compose.yml needs, each of 32 random letters and digits, in a folder of files. What is
# there stays as it is, so run it again after naming a further station.
#
#   deploy/secrets.sh [FOLDER [STATION]…]        default: ./secrets station-1 station-2
#
# The folder is closed to everybody but you. The files in it are readable to all because containers run under other
# users' numbers than yours, and get them one by one.
set -eu

folder=${1:-secrets}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- station-1 station-2

new() {
    [ ! -e "$1" ] || return 0
    # 64 kB of random bytes hold some 16,000 letters and digits.
    password=$(head -c 65536 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | cut -c 1-32)
    printf '%s\n' "$password" >"$1"
    chmod 0444 "$1"
    echo "made $1"
}

mkdir -p "$folder/redis" "$folder/connect"
chmod 0700 "$folder"
chmod 0755 "$folder/redis" "$folder/connect"
for name in postgres database_owner database_worker database_reader grafana_admin; do
    new "$folder/${name}_password"
done
for user in worker connect metrics admin "$@"; do
    new "$folder/redis/redis_${user}_password"
done
