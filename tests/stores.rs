//! The stores on their real parts: the kernel's keyring, GNOME Keyring on a private bus, directories.

#[cfg(target_os = "linux")]
#[path = "stores/directories.rs"]
mod directories;
#[cfg(target_os = "linux")]
#[path = "stores/kernel_keyring.rs"]
mod kernel_keyring;
#[cfg(target_os = "linux")]
#[path = "stores/secret_service.rs"]
mod secret_service;
#[cfg(target_os = "linux")]
#[path = "stores/support.rs"]
mod support;
