//! Real parts: kubectl, kube-rs, GNOME Keyring, the kernel keyring, the official SDK, Dex and Chromium, real processes in parallel. `tests/run` sets them up.
//!
//! A test whose part is missing fails and says so. Every run in a [`world::World`] is a leak check.
#![cfg(target_os = "linux")]

pub(crate) mod bus;
mod completion;
mod dex;
pub(crate) mod endurance;
mod files;
mod forgetting;
mod formats;
mod identity;
mod install;
mod keyring;
pub(crate) mod kube_rs;
mod kubectl;
mod login;
mod never_renews;
mod one_sign_in;
mod parallel;
pub(crate) mod process;
mod prompts;
pub(crate) mod proxy;
mod renewal;
mod revocation;
mod sdk;
mod sdk_identity_center;
mod sdk_requests;
mod self_protection;
mod short_lives;
mod sign_on;
mod sign_on_screens;
mod signals;
mod stores;
mod streams;
mod terminal;
mod usable;
pub(crate) mod world;
