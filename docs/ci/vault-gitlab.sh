#!/bin/sh
# Lets the jobs of one project's protected branches in, without any stored secret.
set -eu
vault auth enable -path=gitlab jwt
vault write auth/gitlab/config oidc_discovery_url=https://gitlab.example.com bound_issuer=https://gitlab.example.com
vault write auth/gitlab/role/cce - <<'JSON'
{
  "role_type": "jwt",
  "user_claim": "sub",
  "bound_audiences": ["https://vault.example.com"],
  "bound_claims": {"project_path": "acme/shop", "ref_protected": "true"},
  "token_policies": ["cce"],
  "token_type": "batch",
  "token_ttl": "10m"
}
JSON
