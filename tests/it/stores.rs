//! The stores on their real parts: the kernel's keyring, GNOME Keyring on a private bus, directories.

mod directories;
mod kernel_keyring;
mod secret_service;
mod support;
