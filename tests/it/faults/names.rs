//! A name server of a cell's own, on port 53 of a loopback address of its own.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The name under which a cell finds its cloud.
pub(super) const NAME: &str = "cce.faults.test";

/// What it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// 127.0.0.1 for every name.
    Here,
    /// There is no such name.
    NoSuchName,
    /// It has failed.
    ServerFailure,
    /// It does not answer questions.
    Refused,
    Nothing,
    /// Something that is no DNS.
    Garbage,
}

/// The server.
pub(super) struct NameServer {
    says: Arc<Mutex<Says>>,
    is_over: Arc<AtomicBool>,
    /// Where it listens.
    pub(super) address: String,
}

impl NameServer {
    pub(super) fn start() -> Self {
        // Port 53 is one to an address: somewhere in 127.53.0.0/16 there is a free one.
        let free = (1..=u16::MAX).find_map(|number| {
            let [third, fourth] = number.to_be_bytes();
            let address = format!("127.53.{third}.{fourth}");
            Some((UdpSocket::bind((address.as_str(), 53)).ok()?, address))
        });
        let (socket, address) = free.unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let (says, is_over) = (Arc::new(Mutex::new(Says::Here)), Arc::<AtomicBool>::default());
        let server = Self {
            says: Arc::clone(&says),
            is_over: Arc::clone(&is_over),
            address,
        };
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while !is_over.load(Ordering::Relaxed) {
                let Ok((length, asker)) = socket.recv_from(&mut question) else {
                    continue;
                };
                let says = *says.lock().unwrap();
                if let Some(answer) = says.answer(&question[..length]) {
                    let _ = socket.send_to(&answer, asker);
                }
            }
        });
        server
    }

    pub(super) fn set(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Says {
    /// RFC 1035, section 4.1.
    fn answer(self, question: &[u8]) -> Option<Vec<u8>> {
        let code = match self {
            Self::Nothing => return None,
            Self::Garbage => return Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            Self::Here => 0,
            Self::ServerFailure => 2,
            Self::NoSuchName => 3,
            Self::Refused => 5,
        };
        let name = question.get(12..)?;
        let end = name.iter().position(|byte| *byte == 0)? + 12;
        let asked = question.get(12..end + 5)?; // with type and class
        let is_for_ipv4 = asked.ends_with(&[0, 1, 0, 1]);
        let has_answer = self == Self::Here && is_for_ipv4;
        let mut answer = question.get(..2)?.to_vec();
        answer.extend([0x81, 0x80 | code, 0, 1, 0, u8::from(has_answer), 0, 0, 0, 0]);
        answer.extend(asked);
        if has_answer {
            // The name of the question, type A, class IN, a minute, four bytes.
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
        }
        Some(answer)
    }
}
