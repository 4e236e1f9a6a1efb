//! What a process that holds secrets does before anything else: it leaves no image of its memory behind, and a limit on files is an error like
//! any other.

/// No core dump, nobody of the same user attaches or reads our memory without more ado, and writing beyond `ulimit -f` fails instead of
/// killing us. Best effort: a system that refuses is as before.
#[cfg(unix)]
pub fn protect_process() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // The soft limit alone: what we start may raise its own again.
    let maximum = getrlimit(Resource::Core).maximum;
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum,
        },
    );
    // A system that pipes cores to a program asks this, and not the limit.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let _nobody_looks = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}

/// Elsewhere there is nothing to switch off by ourselves.
#[cfg(not(unix))]
pub fn protect_process() {}
