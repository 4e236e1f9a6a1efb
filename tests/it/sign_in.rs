//! Who we are to the cloud: every source of an identity, what is refused, and where a secret may go.

mod bearer;
mod cases;
mod config_file;
mod endpoints;
mod exec_env;
mod federated;
mod formats;
mod key_command;
mod pinned;
mod portal;
mod provider;
mod refused;
