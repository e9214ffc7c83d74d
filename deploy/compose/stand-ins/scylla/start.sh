#!/bin/sh
# Starts Cassandra on the container's own address. Scylla's options (--smp …) mean nothing to it.
set -eu
address=$(hostname -i | cut -d ' ' -f 1)
sed "s/ADDRESS/$address/" /opt/cassandra/conf/cassandra.yaml >/tmp/cassandra.yaml
exec java -Xms512m -Xmx512m -XX:+UseG1GC @/opt/cassandra/conf/jvm.options \
  -cp '/opt/cassandra/conf:/opt/cassandra/lib/*' org.apache.cassandra.service.CassandraDaemon
