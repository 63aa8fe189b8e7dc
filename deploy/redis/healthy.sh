#!/bin/sh
# Whether the Redis of this container answers, by a user who may do little more than ask.
set -eu

secrets=${INSERTS_REDIS_SECRETS:-/run/secrets}
REDISCLI_AUTH=$(cat "$secrets/redis_metrics_password")
export REDISCLI_AUTH
set -- --user metrics --no-auth-warning
if [ -e "$secrets/redis_tls_cert" ] && [ -e "$secrets/redis_tls_key" ]; then
    # Of this very container: whose certificate it is needs no proof. It is also the client's, where one is wanted.
    set -- "$@" --tls --insecure --cert "$secrets/redis_tls_cert" --key "$secrets/redis_tls_key"
fi
[ "$(redis-cli "$@" ping)" = PONG ]
