#!/bin/sh
# Once, by Vault's operator (`bao` in place of `vault` for OpenBao): a mount whose values nobody can read for longer than a day, the policy.
set -eu
vault secrets enable -path=kv -version=2 kv
vault write kv/config max_versions=1 delete_version_after=24h
vault policy write cce "$(dirname "$0")/vault-policy.hcl"
