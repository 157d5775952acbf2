# Gives redis its configuration on standard input, so that the password is neither in an argument list nor in a file.
# Write $NAME here, never with braces: Flux's post-build substitution would take the braced form for one of its variables.
set -eu
exec redis-server - <<EOF
include /etc/redis/redis.conf
requirepass $REDIS_PASSWORD
EOF
