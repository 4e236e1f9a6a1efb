# What a runner needs of Vault or OpenBao: nothing but the values below kv/cce.
path "kv/data/cce/*" {
  capabilities = ["create", "read", "update"]
}
