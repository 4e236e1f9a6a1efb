//! Named cases (pairs of files in `tests/kubeconfig/`), rules and properties.
