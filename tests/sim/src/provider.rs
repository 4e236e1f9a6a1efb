//! An identity provider of a company (`OpenID` Connect) beside the cloud: discovery, authorization code with PKCE, device code, refresh tokens,
//! revocation. It is as strict as RFC 6749, 7636 and 8628 ask, and lies in exactly one way when it is told to.

mod authorize;
mod device;
mod token;

use chrono::{DateTime, Utc};
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    answer::Answer,
    id_token,
    identity_center::Approval,
    pki,
    server::Received,
    signature::decode,
    world::{World, lock},
};

/// The one client that is registered: public, loopback redirects.
pub(crate) const CLIENT: &str = "cce-login";
/// The secret of the one confidential client.
pub(crate) const CONFIDENTIAL: &str = "cce-login-confidential";

/// One way in which the provider is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quirk {
    /// The id token has another nonce.
    WrongNonce,
    /// The redirect carries another state.
    WrongState,
    /// The redirect names another issuer (RFC 9207).
    WrongIssuer,
    /// The redirect names no issuer although discovery says it would.
    NoIssuer,
    /// Discovery names another issuer.
    OtherIssuerInDiscovery,
    /// The id token is another issuer's.
    OtherIssuerInToken,
    /// The id token is for another client.
    OtherAudience,
    /// The id token is not signed.
    AlgNone,
    /// The id token has expired.
    Expired,
    /// A token endpoint that is not encrypted.
    PlainTokenEndpoint,
    /// A device page that is not encrypted.
    PlainVerificationUri,
    /// No refresh tokens.
    NoRefreshToken,
    /// No device flow.
    NoDeviceFlow,
    /// PKCE is not among what discovery tells.
    NoPkce,
    /// It refuses the redirect address.
    RedirectNotRegistered,
    /// The client is registered as a single-page app, as Entra tells it.
    SinglePageApp,
    /// The person says no.
    Denied,
    /// The id token names nobody.
    NoSubject,
    /// The id token has a number where the person's name belongs.
    NumberSubject,
    /// A refresh token gives an id token of somebody else.
    OtherSubjectAtRefresh,
    /// Nobody may have refresh tokens for later, in Keycloak's words.
    OfflineNotAllowed,
}

/// How the provider behaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderBehaviour {
    /// What is wrong with it.
    pub quirk: Option<Quirk>,
    /// `sub` of whoever signs in.
    pub subject: String,
    /// What happens to device codes.
    pub approval: Approval,
    /// Its keys are others than those IAM has.
    pub keys_rotated: bool,
    /// So many characters of groups are in the id token.
    pub groups_length: usize,
    /// The provider tells that a refresh token is good for so many seconds.
    pub refresh_seconds: Option<i64>,
}

impl Default for ProviderBehaviour {
    fn default() -> Self {
        Self {
            quirk: None,
            subject: "jane@example.com".to_owned(),
            approval: Approval::default(),
            keys_rotated: false,
            groups_length: 0,
            refresh_seconds: None,
        }
    }
}

/// What the provider remembers.
#[derive(Debug, Default)]
pub(crate) struct ProviderState {
    codes: Vec<Code>,
    devices: Vec<DeviceCode>,
    refresh_tokens: Vec<Grant>,
    /// Everything that must not be seen anywhere.
    pub(crate) secrets: Vec<String>,
}

impl ProviderState {
    /// Every refresh token is void.
    pub(crate) fn revoke_all(&mut self) {
        self.refresh_tokens.clear();
    }

    /// How many refresh tokens are good.
    pub(crate) fn refresh_tokens(&self) -> usize {
        self.refresh_tokens.len()
    }
}

#[derive(Debug)]
struct Code {
    text: String,
    client_id: String,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    is_offline: bool,
    subject: String,
}

#[derive(Debug)]
struct DeviceCode {
    code: String,
    user_code: String,
    client_id: String,
    challenge: Option<String>,
    polls: u32,
    is_offline: bool,
    verdict: Option<bool>,
}

#[derive(Clone, Debug)]
struct Grant {
    token: String,
    client_id: String,
    subject: String,
}

/// An endpoint of the provider.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Discovery,
    Keys,
    Authorize,
    Token,
    Device,
    Revoke,
}

impl Operation {
    pub(crate) fn new(method: &Method, segments: &[&str]) -> Option<Self> {
        match (method, segments) {
            (&Method::GET, [".well-known", "openid-configuration"]) => Some(Self::Discovery),
            (&Method::GET, ["keys"]) => Some(Self::Keys),
            (&Method::GET, ["authorize"]) => Some(Self::Authorize),
            (&Method::POST, ["token"]) => Some(Self::Token),
            (&Method::POST, ["device", "code"]) => Some(Self::Device),
            (&Method::POST, ["revoke"]) => Some(Self::Revoke),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Discovery => "oidc_discovery",
            Self::Keys => "oidc_keys",
            Self::Authorize => "oidc_authorize",
            Self::Token => "oidc_token",
            Self::Device => "oidc_device",
            Self::Revoke => "oidc_revoke",
        }
    }
}

pub(crate) fn answer(world: &World, operation: Operation, received: &Received) -> Answer {
    match operation {
        Operation::Discovery => discovery(world),
        Operation::Keys => Answer::json(200, &id_token::jwks()),
        Operation::Authorize => match authorize::redirect(world, &received.query) {
            Ok(location) => Answer::empty(302).with_header("Location", &location),
            Err(why) => Answer::new(400, "text/plain", why),
        },
        Operation::Token => token::answer(world, received),
        Operation::Device => device::start(world, received),
        Operation::Revoke => token::revoke(world, received),
    }
}

/// The redirect that a person's browser would be sent to, or why there is none.
pub(crate) fn visit(world: &World, url: &str) -> Result<String, String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    authorize::redirect(world, query)
}

/// What the endpoint answers to a form.
pub(crate) fn post(world: &World, path: &str, form: &str) -> String {
    let mut headers = hyper::HeaderMap::new();
    headers.insert(
        hyper::header::CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    let received = Received {
        method: Method::POST,
        path: path.to_owned(),
        query: String::new(),
        headers,
        body: form.to_owned().into(),
        client_chain: std::sync::Arc::new([]),
    };
    let answer = match path {
        "/revoke" => token::revoke(world, &received),
        _ => token::answer(world, &received),
    };
    match answer.body {
        crate::answer::Content::Whole(body) => String::from_utf8_lossy(&body).into_owned(),
        _ => String::new(),
    }
}

/// A person says yes or no to a device's code; false where there is no such code.
pub(crate) fn decide(world: &World, user_code: &str, verdict: bool) -> bool {
    let mut state = lock(&world.provider);
    let found = state.devices.iter_mut().find(|device| device.user_code == user_code);
    found.map(|device| device.verdict = Some(verdict)).is_some()
}

fn discovery(world: &World) -> Answer {
    let issuer = world.endpoints().provider;
    let quirk = world.behaviour().provider.quirk;
    let plain = issuer.replace("https://127.0.0.1", "http://192.0.2.1");
    let mut body = json!({
        "issuer": if quirk == Some(Quirk::OtherIssuerInDiscovery) { "https://other.example" } else { &issuer },
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{}/token", if quirk == Some(Quirk::PlainTokenEndpoint) { &plain } else { &issuer }),
        "device_authorization_endpoint": format!("{issuer}/device/code"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "code_challenge_methods_supported": ["S256"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "authorization_response_iss_parameter_supported": true,
    });
    if let Some(fields) = body.as_object_mut() {
        match quirk {
            Some(Quirk::NoDeviceFlow) => drop(fields.remove("device_authorization_endpoint")),
            Some(Quirk::NoPkce) => drop(fields.remove("code_challenge_methods_supported")),
            _ => {}
        }
    }
    Answer::json(200, &body)
}

/// Parameters of a query or a form.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn parse(text: &str) -> Self {
        let text_of = |part: &str| String::from_utf8_lossy(&decode(&part.replace('+', " "))).into_owned();
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (text_of(name), text_of(value))).collect())
    }

    /// Of a form; `None` where it says it is something else.
    fn of_form(received: &Received) -> Option<Self> {
        let content_type = received.header("content-type").unwrap_or_default();
        let text = String::from_utf8_lossy(&received.body);
        content_type
            .starts_with("application/x-www-form-urlencoded")
            .then(|| Self::parse(&text))
    }

    /// A parameter that is there exactly once.
    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(other, _)| other == name);
        let value = found.next().map(|(_, value)| value.as_str());
        value.filter(|_| found.next().is_none())
    }
}

fn error(status: u16, code: &str, description: &str) -> Answer {
    Answer::json(status, &json!({"error": code, "error_description": description}))
}

/// Remembers a secret for the leak checks.
fn secret(state: &mut ProviderState) -> String {
    let text = pki::random_id().repeat(2);
    state.secrets.push(text.clone());
    text
}

/// The client of a request, if its secret is right: the public one has none.
fn client(parameters: &Parameters) -> Result<String, Answer> {
    match (parameters.get("client_id"), parameters.get("client_secret")) {
        (Some(CLIENT), None) => Ok(CLIENT.to_owned()),
        (Some(CONFIDENTIAL), Some(CONFIDENTIAL_SECRET)) => Ok(CONFIDENTIAL.to_owned()),
        _ => Err(error(
            401,
            "invalid_client",
            "the client is unknown or its secret is wrong",
        )),
    }
}

/// The secret of [`CONFIDENTIAL`].
pub(crate) const CONFIDENTIAL_SECRET: &str = "the-secret-of-a-confidential-client";

/// The tokens of a grant.
fn tokens(world: &World, state: &mut ProviderState, grant: &Grant, nonce: Option<&str>, is_offline: bool) -> Value {
    let behaviour = world.behaviour().provider;
    let now: DateTime<Utc> = world.now();
    let issuer = world.endpoints().provider;
    let quirk = behaviour.quirk;
    let mut claims = json!({
        "iss": if quirk == Some(Quirk::OtherIssuerInToken) { "https://other.example" } else { &issuer },
        "sub": grant.subject,
        "aud": if quirk == Some(Quirk::OtherAudience) { "somebody-else" } else { &grant.client_id },
        "iat": now.timestamp(), "nbf": now.timestamp(),
        "exp": now.timestamp() + if quirk == Some(Quirk::Expired) { -600 } else { 600 },
        "email": grant.subject, "name": "Jane Doe", "groups": "g".repeat(behaviour.groups_length),
    });
    let nonce = match quirk {
        Some(Quirk::WrongNonce) => Some("another-nonce"),
        _ => nonce,
    };
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    match quirk {
        Some(Quirk::NoSubject) => claims["sub"] = json!("  "),
        Some(Quirk::NumberSubject) => claims["sub"] = json!(4711),
        _ => {}
    }
    let id_token = id_token::sign_claims(&claims, behaviour.keys_rotated, quirk == Some(Quirk::AlgNone));
    state.secrets.push(id_token.clone());
    let access_token = secret(state);
    let mut body =
        json!({"access_token": access_token, "token_type": "Bearer", "expires_in": 600, "id_token": id_token});
    if is_offline && quirk != Some(Quirk::NoRefreshToken) {
        let token = secret(state);
        body["refresh_token"] = json!(token);
        if let Some(seconds) = behaviour.refresh_seconds {
            body["refresh_expires_in"] = json!(seconds);
        }
        state.refresh_tokens.push(Grant { token, ..grant.clone() });
    }
    body
}
