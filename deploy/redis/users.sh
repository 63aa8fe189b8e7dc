#!/bin/sh
# Redis with a user for each role. Writes the ACL file from password files, then becomes redis-server.
#
#   users.sh [OPTION OF redis-server]…
#
# INSERTS_STATIONS          the stations' names, like "station-1 station-2"; of a name with other characters than letters
#                           A to Z, digits, '.', '_' and '-' what `insert-station safe-name NAME` prints
# INSERTS_REDIS_SECRETS     folder of the files below (/run/secrets)
# INSERTS_REDIS_CONF        the configuration (redis.conf beside this script)
# INSERTS_REDIS_ACL_FILE    where the users are written, without clear passwords (/data/users.acl)
# INSERTS_REDIS_MAXMEMORY   like 2gb; from then on events are refused and wait at the stations (0: no limit)
#
# In the folder, each at least 12 characters, none beginning with change-me:
#   redis_worker_password      inspect and learn workers, beat
#   redis_<station>_password   one for each station that is named
#   redis_connect_password     reads what other systems are told, tells of insert changes }
#   redis_metrics_password     reads lengths, nothing else        } without the file
#   redis_scaler_password      KEDA: lengths, asked by a script   } there is no
#   redis_admin_password       people: everything                 } such user
#   redis_tls_cert, redis_tls_key   with both, Redis speaks TLS and nothing else
#   redis_tls_ca                    with it, only to clients with a certificate by it
#
# Started as root (as the official image does) it goes on as the user redis once the files are read; certificates and
# keys must be readable to that user.
set -eu
umask 077
export LC_ALL=C

secrets=${INSERTS_REDIS_SECRETS:-/run/secrets}
conf=${INSERTS_REDIS_CONF:-$(cd "$(dirname "$0")" && pwd)/redis.conf}
acl=${INSERTS_REDIS_ACL_FILE:-/data/users.acl}

refuse() {
    echo "users.sh: $*" >&2
    exit 78 # EX_CONFIG
}

# The password in a file, as it stands in an ACL: its SHA-256, so that the ACL file tells nobody.
hash_of() {
    [ -r "$1" ] || refuse "the password file $1 is missing or cannot be read: put a password of your own there"
    password=$(cat "$1")
    case $password in
    change-me*) refuse "the password file $1 still holds that of the example: put a password of your own there" ;;
    *[!!-~]*) refuse "the password file $1 holds white space or characters beyond ASCII" ;;
    esac
    [ ${#password} -ge 12 ] || refuse "the password in $1 has ${#password} characters: take 12 or more"
    hash=$(printf %s "$password" | sha256sum)
    echo "#${hash%% *}"
}

# user NAME RULE…: one line of the ACL file. Nothing is allowed but what the rules say.
user() {
    name=$1
    shift
    hash=$(hash_of "$secrets/redis_${name}_password")
    printf 'user %s reset on %s %s\n' "$name" "$hash" "$*" >>"$acl.new"
}

has() { [ -e "$secrets/redis_$1" ]; }

# From Redis 7 on a key is granted for reading or for writing. Redis 6.2 knows no difference: there a station may also
# write to its own stream, which harms no other one.
reads='%R~' writes='%W~'
# How libraries introduce themselves; nobody needs it, but `ACL LOG` would be full of it. Redis 7.0 does not know it.
greet='+client|setinfo'
case $(redis-server --version) in
*v=6.*) reads='~' writes='~' greet='+client|setinfo +client|maint_notifications' ;;
*v=7.0.*) greet='' ;;
esac

: >"$acl.new"
# Nobody can be `default`: it is off. But its rules are those by which Redis reads its own AOF again, and what they forbid
# of a transaction is left out there without a word (redis/redis#14541), so they forbid nothing.
echo 'user default reset off ~* &* +@all' >>"$acl.new"

# What kombu's Redis transport and the workers really call (worker/broker/kombu_fixes.py, worker/broker/load_shedding.py, worker/line/notifier.py), and HLEN and
# LRANGE, by which they count what waits.
# `_kombu.binding*` are kombu's tables of queues, `unacked*` is what is in hand and the lock of those who look through it.
user worker '~inspect*' '~learn*' '~_kombu.binding*' '~unacked*' '~verdicts:*' '~answers' '~insert-changes' \
    '~connector*' +ping +info +watch +unwatch +multi +exec +llen +lpush +rpush +brpop +ltrim +sadd +zadd +zrem +zrange \
    +hset +hget +hgetall +hdel +hlen +lrange +set +get +del +evalsha +script\|load +xadd +expire $greet

set -f
for station in ${INSERTS_STATIONS:-}; do
    case $station in
    *[!A-Za-z0-9._-]*) refuse "INSERTS_STATIONS: '$station' has other characters than letters A to Z, digits, '.', '_' and '-'; write what insert-station safe-name NAME prints" ;;
    "" | default | worker | connect | metrics | scaler | admin) refuse "INSERTS_STATIONS: a station cannot be called $station" ;;
    esac
    # Captures in, and its own answers out.
    user "$station" "${writes}inspect" "${reads}verdicts:$station" +ping +lpush +xread +xrevrange $greet
done

if has connect_password; then
    user connect "${reads}answers" "${reads}connector-looked" "${writes}insert-changes" "${writes}connector*" \
        +ping '+info|replication' +xread +xrange +xrevrange +hset +set +exists $greet
fi
if has metrics_password; then
    user metrics '~inspect*' '~learn*' '~unacked' '~unacked_index' '~verdicts:*' +ping +info +llen +hlen +zcard +xlen $greet
fi
if has scaler_password; then
    user scaler '~inspect' '~learn' +ping +type +llen +scard +hlen +zcard +eval +evalsha
fi
if has admin_password; then
    user admin '~*' '&*' +@all
fi
mv "$acl.new" "$acl"

if has tls_cert && has tls_key; then
    set -- --tls-cert-file "$secrets/redis_tls_cert" --tls-key-file "$secrets/redis_tls_key" "$@"
    if has tls_ca; then
        set -- --tls-auth-clients yes --tls-ca-cert-file "$secrets/redis_tls_ca" "$@"
    else
        set -- --tls-auth-clients no "$@"
    fi
    set -- --port 0 --tls-port 6379 "$@"
fi
set -- "$conf" --aclfile "$acl" --maxmemory "${INSERTS_REDIS_MAXMEMORY:-0}" "$@"

# The official image's own start: as root it hands the working folder, /data, over to the user redis and becomes it.
if command -v docker-entrypoint.sh >/dev/null; then
    exec docker-entrypoint.sh redis-server "$@"
fi
exec redis-server "$@"
