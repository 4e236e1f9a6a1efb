//! Whether we run in a container.
//!
//! Kernel keys belong to a uid, and containers without a user namespace share the uids, and so the keys, of their host and of each other:
//! there the kernel keyring is left alone. On the hot path, so: no directory is listed, no file is read, three short system calls at most.

use crate::store::StoreEnvironment;
use crate::store::world::is_set;
use rustix::fs::{CWD, readlinkat};
use std::path::Path;

/// The initial PID namespace, `PROC_PID_INIT_INO` 0xEFFFFFFC (Linux, `include/linux/proc_ns.h`).
const INITIAL_PID_NAMESPACE: &[u8] = b"pid:[4026531836]";
/// The initial cgroup namespace, `PROC_CGROUP_INIT_INO` 0xEFFFFFFB (Linux, `include/linux/proc_ns.h`).
const INITIAL_CGROUP_NAMESPACE: &[u8] = b"cgroup:[4026531835]";

/// Says what shows that we run in a container; `None`: nothing does.
///
/// `/.dockerenv` is no sign: images of virtual machines that were made from a container image carry it, too.
pub(super) fn container_sign(world: &StoreEnvironment) -> Option<&'static str> {
    let is_variable_set = |value: &Option<std::ffi::OsString>| value.as_deref().is_some_and(is_set);
    if is_variable_set(&world.container) {
        Some("the variable `container` is set")
    } else if is_variable_set(&world.kubernetes_service_host) {
        Some("the variable `KUBERNETES_SERVICE_HOST` is set")
    } else if Path::new("/run/.containerenv").exists() {
        Some("the file `/run/.containerenv` exists")
    } else {
        let namespace = |path: &str| {
            readlinkat(CWD, path, Vec::with_capacity(32))
                .ok()
                .map(std::ffi::CString::into_bytes)
        };
        namespace_sign(
            namespace("/proc/self/ns/pid").as_deref(),
            namespace("/proc/self/ns/cgroup").as_deref(),
        )
    }
}

/// The rule for the namespaces, as the links in `/proc/self/ns` name them; `None`: unreadable.
///
/// A kernel before 4.6 has no cgroup namespaces; one whose PID namespace cannot be told may be anywhere.
fn namespace_sign(pid: Option<&[u8]>, cgroup: Option<&[u8]>) -> Option<&'static str> {
    match (pid, cgroup) {
        (None, _) => Some("the PID namespace cannot be told"),
        (Some(pid), _) if pid != INITIAL_PID_NAMESPACE => Some("the PID namespace is not the machine's"),
        (_, Some(cgroup)) if cgroup != INITIAL_CGROUP_NAMESPACE => Some("the cgroup namespace is not the machine's"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initial_namespaces_are_no_container_and_any_other_is() {
        let pid = Some(INITIAL_PID_NAMESPACE);
        let cgroup = Some(INITIAL_CGROUP_NAMESPACE);
        assert_eq!(namespace_sign(pid, cgroup), None);
        assert_eq!(namespace_sign(pid, None), None);
        assert!(namespace_sign(Some(b"pid:[4026532198]"), cgroup).is_some());
        assert!(namespace_sign(pid, Some(b"cgroup:[4026532199]")).is_some());
        assert!(namespace_sign(None, cgroup).is_some());
        assert_eq!(INITIAL_PID_NAMESPACE, format!("pid:[{}]", 0xEFFF_FFFC_u32).as_bytes());
        assert_eq!(
            INITIAL_CGROUP_NAMESPACE,
            format!("cgroup:[{}]", 0xEFFF_FFFB_u32).as_bytes()
        );
    }
}
