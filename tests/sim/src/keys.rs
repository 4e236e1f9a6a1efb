//! The pool of private keys, see `keys/README.md`.

use std::sync::{
    LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use rcgen::KeyPair;

use crate::KeyFormat;

const RSA_PKCS1: &str = include_str!("../keys/rsa.pkcs1.pem");
const RSA_PKCS8: &str = include_str!("../keys/rsa.pkcs8.pem");
const EC_SEC1: &str = include_str!("../keys/ec.sec1.pem");
const EC_PKCS8: &str = include_str!("../keys/ec.pkcs8.pem");

/// A private key in two forms: for signing here, for handing out.
pub(crate) struct PooledKey {
    pub(crate) pair: KeyPair,
    traditional_pem: String,
    pkcs8_pem: String,
}

impl PooledKey {
    pub(crate) fn pem(&self, format: KeyFormat) -> &str {
        match format {
            KeyFormat::Pkcs1 | KeyFormat::Sec1 => &self.traditional_pem,
            KeyFormat::Pkcs8 | KeyFormat::Pkcs8Ec => &self.pkcs8_pem,
        }
    }
}

static RSA: LazyLock<Vec<PooledKey>> = LazyLock::new(|| pool(RSA_PKCS1, RSA_PKCS8));
static EC: LazyLock<Vec<PooledKey>> = LazyLock::new(|| pool(EC_SEC1, EC_PKCS8));
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// The next key of the pool that can be written in this format; two calls in a row give different keys.
pub(crate) fn next_key(format: KeyFormat) -> &'static PooledKey {
    let pool = match format {
        KeyFormat::Pkcs1 | KeyFormat::Pkcs8 => &*RSA,
        KeyFormat::Sec1 | KeyFormat::Pkcs8Ec => &*EC,
    };
    let turn = NEXT.fetch_add(1, Ordering::Relaxed);
    pool.iter().cycle().nth(turn % pool.len()).expect("the pool has keys")
}

/// The RSA key of this number: the same at each call, for whoever signs for longer than one answer.
pub(crate) fn rsa_key(number: usize) -> &'static PooledKey {
    RSA.get(number % RSA.len()).expect("the pool has keys")
}

fn pool(traditional: &str, pkcs8: &str) -> Vec<PooledKey> {
    let pairs = split_pem(traditional).into_iter().zip(split_pem(pkcs8));
    pairs
        .map(|(traditional_pem, pkcs8_pem)| PooledKey {
            pair: KeyPair::from_pem(&pkcs8_pem).expect("a pooled key is readable"),
            traditional_pem,
            pkcs8_pem,
        })
        .collect()
}

fn split_pem(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut key = String::new();
    for line in text.lines() {
        key.push_str(line);
        key.push('\n');
        if line.starts_with("-----END") {
            keys.push(std::mem::take(&mut key));
        }
    }
    keys
}
