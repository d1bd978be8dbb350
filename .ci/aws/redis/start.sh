#!/bin/sh
# TLS alone on 6379; the default user is off, as in an ElastiCache user group. `manager` is for who makes the users, by a socket.
set -eu
head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >/run/manager
printf 'user default off\nuser manager on >%s ~* &* +@all\n' "$(cat /run/manager)" >/etc/redis/users.acl
exec redis-server --port 0 --tls-port 6379 --tls-cert-file /etc/redis/tls.pem --tls-key-file /etc/redis/tls.pem \
  --tls-auth-clients no --tls-ca-cert-file /etc/redis/tls.pem --unixsocket /run/redis.sock --dir /data \
  --maxmemory-policy noeviction --aclfile /etc/redis/users.acl
