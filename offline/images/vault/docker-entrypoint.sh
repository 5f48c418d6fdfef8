#!/bin/sh
# As the official image's: "vault" may be left out before one of its commands or options. What that script does
# besides (configuration from VAULT_LOCAL_CONFIG, setcap, changing the user) the chart does not ask for.
case $1 in
  vault | sh | /*) ;;
  *) set -- vault "$@" ;;
esac
exec "$@"
