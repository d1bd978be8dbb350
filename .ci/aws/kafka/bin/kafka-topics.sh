#!/bin/bash
# The emulator asks for topics until the broker answers, and for nothing else. Kafka's own tool would start a JVM each time.
[[ "$*" == *--list ]] || { echo "not made for: $*" >&2; exit 1; }
exec 3<>/dev/tcp/localhost/9092 4<>/dev/tcp/localhost/9094
