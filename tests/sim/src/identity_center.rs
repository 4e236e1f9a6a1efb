//! IAM Identity Center: people sign in at a portal with a browser, and get temporary access keys of the agencies that their permission sets are.
//!
//! Requests are not signed: the client's secret is in the body, a session's access token in the header `access-token`. Times are epoch seconds,
//! in `expires_in` too, as the documentation's examples and Huawei's own Terraform provider have them.

mod oidc;
mod portal;

use chrono::{DateTime, Utc};
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    answer::Answer,
    pki,
    server::Received,
    world::{World, lock},
};

/// The portal's address, as people have it.
pub(crate) const START_URL: &str = "https://idcenter.example/d-0123456789/portal";
const CLIENT_DAYS: i64 = 90;
const DEVICE_SECONDS: i64 = 600;
const SESSION_HOURS: i64 = 8;
const KEY_SECONDS: i64 = 8 * 3600;

/// What a person does with a code at the portal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Nothing, until a test approves or denies it.
    #[default]
    Waits,
    /// Approves it after so many polls.
    AfterPolls(u32),
    /// Denies it.
    Denied,
    /// Lets it expire.
    Expired,
}

/// In which words the service says that nobody has approved yet: documented nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PollWords {
    /// `error: authorization_pending`, as RFC 8628 has them.
    #[default]
    Rfc8628,
    /// In the message of an `IIC` error, as an exception's name.
    Exception,
    /// The code for "creating the access token failed" alone.
    CodeOnly,
}

/// How the Identity Center behaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CenterBehaviour {
    /// What happens to codes.
    pub approval: Approval,
    /// How a poll is told to come again.
    pub words: PollWords,
    /// The next so many polls are told to slow down.
    pub slow_downs: u32,
    /// Seconds between polls; left out with `None`.
    pub interval: Option<u64>,
    /// `expires_in` is a span, not an epoch second.
    pub spans: bool,
    /// The largest page.
    pub page: usize,
    /// The address where the code is typed.
    pub verification_uri: String,
    /// Sessions live so many seconds.
    pub session_seconds: i64,
}

impl Default for CenterBehaviour {
    fn default() -> Self {
        Self {
            approval: Approval::default(),
            words: PollWords::default(),
            slow_downs: 0,
            interval: Some(1),
            spans: false,
            page: 200,
            verification_uri: "https://idcenter.example/d-0123456789/device".to_owned(),
            session_seconds: SESSION_HOURS * 3600,
        }
    }
}

/// Everything the Identity Center remembers.
#[derive(Debug, Default)]
pub(crate) struct Center {
    clients: Vec<Client>,
    pub(crate) devices: Vec<Device>,
    sessions: Vec<Session>,
    /// Agencies (ids) that the one person of this center may take, in order.
    pub(crate) assigned: Vec<Assignment>,
}

#[derive(Debug)]
struct Client {
    id: String,
    secret: String,
    expires_at: DateTime<Utc>,
}

/// A device that waits for a person.
#[derive(Debug)]
pub(crate) struct Device {
    client_id: String,
    code: String,
    /// What the person types.
    pub(crate) user_code: String,
    expires_at: DateTime<Utc>,
    polls: u32,
    /// What the person said.
    pub(crate) verdict: Option<bool>,
}

#[derive(Debug)]
struct Session {
    token: String,
    expires_at: DateTime<Utc>,
}

/// An account and one permission set of it.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) permission_set: String,
    pub(crate) agency_id: String,
}

impl Center {
    /// Client secrets, device codes and session tokens.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = String> {
        let clients = self.clients.iter().map(|client| client.secret.clone());
        let devices = self.devices.iter().map(|device| device.code.clone());
        clients
            .chain(devices)
            .chain(self.sessions.iter().map(|session| session.token.clone()))
    }

    pub(crate) fn session_tokens(&self) -> Vec<String> {
        self.sessions.iter().map(|session| session.token.clone()).collect()
    }

    /// Every session has ended.
    pub(crate) fn end_sessions(&mut self) {
        self.sessions.clear();
    }

    /// Every client registration is unknown.
    pub(crate) fn forget_clients(&mut self) {
        self.clients.clear();
    }
}

/// An API of the Identity Center.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    RegisterClient,
    StartDeviceAuthorization,
    CreateToken,
    AssignedAccounts,
    AssignedAgencies,
    Credentials,
    Logout,
}

impl Operation {
    /// At `oidc.{region}`.
    pub(crate) fn of_oidc(method: &Method, segments: &[&str]) -> Option<Self> {
        match (method, segments) {
            (&Method::POST, ["v1", "clients"]) => Some(Self::RegisterClient),
            (&Method::POST, ["v1", "device", "authorize"]) => Some(Self::StartDeviceAuthorization),
            (&Method::POST, ["v1", "tokens"]) => Some(Self::CreateToken),
            _ => None,
        }
    }

    /// At the portal.
    pub(crate) fn of_portal(method: &Method, segments: &[&str]) -> Option<Self> {
        match (method, segments) {
            (&Method::GET, ["v1", "assigned-accounts"]) => Some(Self::AssignedAccounts),
            (&Method::GET, ["v1", "assigned-agencies"]) => Some(Self::AssignedAgencies),
            (&Method::GET, ["v1", "credentials"]) => Some(Self::Credentials),
            (&Method::POST, ["v1", "logout"]) => Some(Self::Logout),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RegisterClient => "register_client",
            Self::StartDeviceAuthorization => "start_device_authorization",
            Self::CreateToken => "create_token",
            Self::AssignedAccounts => "assigned_accounts",
            Self::AssignedAgencies => "assigned_agencies",
            Self::Credentials => "agency_credentials",
            Self::Logout => "portal_logout",
        }
    }
}

pub(crate) fn answer(world: &World, operation: Operation, received: &Received) -> Answer {
    let attempt = match operation {
        Operation::RegisterClient => oidc::register_client(world, received),
        Operation::StartDeviceAuthorization => oidc::start_device_authorization(world, received),
        Operation::CreateToken => oidc::create_token(world, received),
        Operation::AssignedAccounts => portal::accounts(world, received),
        Operation::AssignedAgencies => portal::agencies(world, received),
        Operation::Credentials => portal::credentials(world, received),
        Operation::Logout => portal::logout(world, received),
    };
    attempt.unwrap_or_else(|error| error)
}

/// An error in the service's shape.
fn refused(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"error_code": code, "error_msg": message, "request_id": pki::random_id()});
    Answer::json(status, &body)
}

/// A person says yes or no to a code; false where there is no such code.
pub(crate) fn decide(world: &World, user_code: &str, verdict: bool) -> bool {
    let mut center = lock(&world.center);
    let found = center.devices.iter_mut().find(|device| device.user_code == user_code);
    found.map(|device| device.verdict = Some(verdict)).is_some()
}

/// What a person types: two groups of four.
pub(crate) fn user_code() -> String {
    let digits = pki::random_id().to_uppercase();
    let (first, rest) = digits.split_at(4);
    format!("{first}-{}", rest.get(..4).unwrap_or_default())
}
