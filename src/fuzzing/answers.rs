//! What IAM and the Identity Center answer, through everything that an answer passes on its way: HTTP, its JSON, what is taken out of it.

use super::{clock, told};
use crate::error::Explain;
use crate::host::{Asked, Clock, Deadline, Directories, Env, Host, Keyrings, Processes, ShownProgress, Terminal};
use crate::http::{Http, HttpSettings};
use crate::huaweicloud::api::Api;
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::iam::token_answer::{TemporaryAccessKey, Token};
use crate::huaweicloud::iam::token_request::{Account, Agency, AgencyNaming, Scope, User};
use crate::huaweicloud::iam::{IamClient, IamError};
use crate::huaweicloud::identity_center::{IdentityCenterError, Portal, RegisteredClient, SessionClient};
use crate::huaweicloud::observed::Endpoints;
use crate::ids::{AccessKeyId, Endpoint, ProjectId, UserId};
use crate::log::Log;
use crate::oidc::DeviceAuthorization;
use crate::secret::Secret;
use chrono::{DateTime, Datelike as _, Utc};
use serde_json::json;
use std::sync::Mutex;
use std::time::Duration;

/// So short that nothing is tried again: the same answer would come.
const PATIENCE: Duration = Duration::from_millis(700);
const ID: &str = "0123456789abcdef0123456789abcdef";

/// A cloud on this machine that gives whatever answer to whatever question.
pub struct LoopbackCloud {
    host: Host,
    http: Http,
    endpoint: Endpoint,
    credentials: Credentials,
    directories: Directories,
    clock: Clock,
}

impl LoopbackCloud {
    /// At `http://127.0.0.1:PORT`.
    pub fn at(url: &str) -> Self {
        Self {
            host: Host {
                env: Env::given::<&str, &str>([]),
                clock: clock(),
                terminal: Terminal::default(),
                stdin: Mutex::new(Box::new(std::io::empty())),
                stdout: Mutex::new(Box::new(std::io::sink())),
                stderr: Mutex::new(Box::new(std::io::sink())),
                keyrings: Keyrings::Given(Vec::new()),
                executable: None,
                processes: Processes::System,
                screen: ShownProgress::default(),
                asked: Asked::default(),
            },
            http: Http::new(&HttpSettings::default()).expect("a client can be built"),
            endpoint: Endpoint::parse(url).expect("loopback is an endpoint"),
            credentials: Credentials::Token(Secret::new("t0ken-of-the-fuzzer".to_owned())),
            directories: Directories::default(),
            clock: clock(),
        }
    }

    fn with_api<T>(&self, call: impl FnOnce(&Api<'_>) -> T) -> T {
        let log = Log::new(&self.host, 2);
        let endpoints = Endpoints::new(&self.directories, &self.clock);
        call(&Api::new(
            &self.http,
            &self.credentials,
            endpoints,
            &self.clock,
            &log,
            Deadline::after(PATIENCE),
        ))
    }
}

/// An error can be shown as it is.
fn shown(error: &dyn Explain) {
    let text = told(error);
    assert!(
        text.chars().all(|c| c == '\n' || !crate::sanitize::is_unsafe(c)),
        "{text:?}"
    );
    assert!(text.chars().count() < 3000, "{}", text.len());
    assert!(!text.contains("t0ken-of-the-fuzzer"), "{text}");
}

/// A time with which one can reckon.
fn assert_moment(time: DateTime<Utc>) {
    assert!((-1..=10_000).contains(&time.year()), "{time}");
}

fn token(answer: Result<Token, IamError>) -> Result<(), IamError> {
    answer.map(|token| {
        // Only looked at.
        assert!(!token.secret.expose().is_empty());
        assert_moment(token.expires_at);
    })
}

fn key<E>(answer: Result<TemporaryAccessKey, E>) -> Result<(), E> {
    answer.map(|key| {
        // Only looked at.
        assert!(!key.key.secret.expose().is_empty() && key.key.security_token.is_some());
        assert_moment(key.expires_at);
    })
}

/// One question to IAM. The first byte chooses it.
pub fn iam_answer(cloud: &LoopbackCloud, question: u8) {
    let (Ok(project), Ok(user), Ok(id)) = (
        ProjectId::parse(ID),
        UserId::parse(ID),
        AccessKeyId::parse("AKIDOFTHEFUZZER00000"),
    ) else {
        return;
    };
    let password = Secret::new("t0ken-of-the-fuzzer".to_owned());
    let person = User {
        id: None,
        name: Some("alice".to_owned()),
        account: Some(Account::Name("acme".to_owned())),
    };
    let agency = Agency {
        name: "admin".to_owned(),
        account: Account::Name("acme".to_owned()),
        seconds: None,
    };
    let outcome = cloud.with_api(|api| {
        let iam = IamClient {
            api,
            endpoint: &cloud.endpoint,
        };
        match question % 9 {
            0 => iam.projects().map(drop),
            1 => iam
                .project_by_name("eu-de")
                .map(|project| assert_eq!(project.name, "eu-de")),
            2 => iam.account().map(drop),
            3 => iam.user_of_access_key(&id).map(drop),
            4 => iam
                .users_by_name("alice")
                .map(|users| assert!(users.iter().all(|user| user.name == "alice"))),
            5 => token(iam.token_by_password(&person, &password, None, &Scope::Project(project))),
            6 => token(iam.token_by_federation("idp")),
            7 => key(iam.access_key_of_agency(&agency, AgencyNaming::Huawei)),
            _ => {
                let _ = iam.agency(&user);
                Ok(())
            }
        }
    });
    if let Err(error) = outcome {
        shown(&error);
    }
}

/// One question to the Identity Center.
pub fn identity_center_answer(cloud: &LoopbackCloud, question: u8) {
    let now = cloud.clock.now();
    let client = RegisteredClient {
        id: "client".to_owned(),
        secret: Secret::new("t0ken-of-the-fuzzer".to_owned()),
        ends_at: now,
    };
    let code = json!({"device_code": "t0ken-of-the-fuzzer", "user_code": "A-B", "verification_uri": "https://x", "expires_in": 600});
    let Some(device) = DeviceAuthorization::from_json(&code, now) else {
        return;
    };
    let outcome: Result<(), IdentityCenterError> = cloud.with_api(|api| {
        let endpoint = &cloud.endpoint;
        let portal = Portal { api, endpoint };
        let sessions = SessionClient { api, endpoint };
        match question % 7 {
            0 => portal.accounts().map(drop),
            1 => portal
                .permission_sets("0")
                .map(|all| assert!(all.iter().all(|set| !set.agency_urn.is_empty()))),
            2 => key(portal.access_key("0", "iam::0:agency:admin")),
            3 => portal.log_out(),
            4 => sessions.register().map(|client| assert_moment(client.ends_at)),
            5 => sessions
                .authorize_device(&client, "https://portal.example.com")
                .map(|device| {
                    assert_moment(device.pace.ends_at);
                    assert!(crate::oidc::is_safe_address(&device.verification_uri));
                }),
            _ => sessions.poll(&client, &device).map(|answer| {
                if let crate::oidc::PollAnswer::Done(session) = answer {
                    assert_moment(session.ends_at);
                }
            }),
        }
    });
    if let Err(error) = outcome {
        shown(&error);
    }
}
