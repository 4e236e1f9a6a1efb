//! Real parts: kubectl, GNOME Keyring, the kernel keyring, real processes in parallel. `tests/run` sets them up.
