//! Real engines: OpenBao, and a Kubernetes of etcd and kube-apiserver. `tests/run` makes OpenBao ready, `tests/run --real` Kubernetes too.

pub(crate) mod cce_cluster;
mod clients;
pub(crate) mod faulty_engine;
pub(crate) mod kube_apiserver;
pub(crate) mod openbao;
mod pods;
mod registers;
pub(crate) mod relay;
mod sharing;

use std::net::TcpListener;

/// A loopback address of its own, and a port that is free on it.
fn free_address() -> String {
    let number = std::process::id()
        .wrapping_mul(7919)
        .wrapping_add(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let host = format!(
        "127.{}.{}.{}",
        64 + number % 128,
        number / 128 % 250,
        1 + number / 32_000 % 250
    );
    free_port_of(&host)
}

/// `HOST:PORT` with a port that is free.
fn free_port_of(host: &str) -> String {
    let listener = TcpListener::bind(format!("{host}:0")).unwrap();
    listener.local_addr().unwrap().to_string()
}

static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
