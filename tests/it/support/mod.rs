//! What the tests share: private worlds, real processes.
