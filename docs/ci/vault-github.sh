#!/bin/sh
# Lets the jobs of one repository's main branch in, without any stored secret. A batch token costs Vault no write.
set -eu
vault auth enable -path=github jwt
vault write auth/github/config \
  oidc_discovery_url=https://token.actions.githubusercontent.com bound_issuer=https://token.actions.githubusercontent.com
vault write auth/github/role/cce - <<'JSON'
{
  "role_type": "jwt",
  "user_claim": "sub",
  "bound_audiences": ["https://vault.example.com"],
  "bound_claims_type": "glob",
  "bound_claims": {"sub": "repo:acme/shop:ref:refs/heads/main"},
  "token_policies": ["cce"],
  "token_type": "batch",
  "token_ttl": "10m"
}
JSON
