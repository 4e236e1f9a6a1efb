//! The requests of a client: codes and refresh tokens into id tokens, a device's code, the end of a refresh token.

use super::device::{DeviceAuthorization, PollAnswer, classify_poll, end_of};
use super::id_token::{self, Claims, Expected};
use super::pkce::Attempt;
use super::{OidcError, Provider, form, is_safe_address};
use crate::host::{Clock, Deadline};
use crate::http::{Http, Request, Response};
use crate::sanitize::sanitize;
use crate::secret::{Secret, SecretJson};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::time::Duration;

/// The longest that the provider is asked before the browser is.
const LOOK_AHEAD: Duration = Duration::from_secs(5);
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A client at a provider.
pub(crate) struct OidcClient<'a> {
    /// Sends, under the roots that the provider's own profile names.
    pub(crate) http: &'a Http,
    /// Whom to ask.
    pub(crate) provider: &'a Provider,
    /// The client's id there; IAM takes id tokens of this client.
    pub(crate) client_id: &'a str,
    /// Of a client that has one.
    pub(crate) client_secret: Option<&'a Secret<String>>,
    /// What is asked for, `openid` in it.
    pub(crate) scopes: &'a [String],
    /// What else goes into the address that the browser opens.
    pub(crate) extra: &'a [(String, String)],
    /// The clock.
    pub(crate) clock: &'a Clock,
    /// By when one request must be over.
    pub(crate) deadline: Deadline,
}

/// What a grant gives.
pub(crate) struct Tokens {
    /// For the cloud's IAM.
    pub(crate) id_token: Secret<String>,
    /// For the next time, if the provider gives one.
    pub(crate) refresh_token: Option<Secret<String>>,
    /// When that ends unless it is used, where the provider tells (Keycloak and Entra's cousins do; no standard has it).
    pub(crate) refresh_ends_at: Option<DateTime<Utc>>,
    /// Whom it is about.
    pub(crate) claims: Claims,
}

impl OidcClient<'_> {
    /// The address that a person's browser is to open.
    pub(crate) fn authorization_url(&self, attempt: &Attempt, redirect_uri: &str) -> String {
        let (scopes, challenge) = (self.scopes(), attempt.challenge());
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", &scopes),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            // Both go to the provider and come back; alone they open nothing.
            ("state", attempt.state.expose()),
            ("nonce", attempt.nonce.expose()), // as above
        ];
        let is_own = |name: &str| pairs.iter().any(|(own, _)| *own == name);
        let extra: Vec<_> = self.extra.iter().filter(|(name, _)| !is_own(name)).collect();
        pairs.extend(extra.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let at = &self.provider.authorization_endpoint;
        let mark = if at.contains('?') { '&' } else { '?' };
        format!("{at}{mark}{}", form::encode(&pairs))
    }

    /// Whether the provider lets a browser come back to this address, as far as it says so beforehand: the page on which it would say it is the
    /// person's, who would be waited for in vain. Whatever else it answers is for their browser.
    pub(crate) fn check_redirect_uri(&self, redirect_uri: &str) -> Result<(), OidcError> {
        let request = Request {
            method: "GET",
            url: self.authorization_url(&Attempt::new()?, redirect_uri),
            headers: vec![("Accept".to_owned(), "text/html".to_owned())],
            body: None,
        };
        let Ok(answer) = self.http.send(request, self.deadline.at_most(LOOK_AHEAD)) else {
            return Ok(());
        };
        // A page for everybody. What it repeats of our question says nothing.
        let page = String::from_utf8_lossy(answer.body.expose()).to_ascii_lowercase();
        let page = page.replace("redirect_uri=", "");
        let words = ["redirect_uri", "redirect uri", "redirect url", "aadsts50011"];
        if answer.status == 400 && words.iter().any(|word| page.contains(word)) {
            return Err(OidcError::NotRegistered(redirect_uri.to_owned()));
        }
        Ok(())
    }

    /// Redeems the code that came back.
    pub(crate) fn by_code(
        &self,
        code: &Secret<String>,
        attempt: &Attempt,
        redirect_uri: &str,
    ) -> Result<Tokens, OidcError> {
        let answer = self.post(
            &self.provider.token_endpoint,
            &[
                ("grant_type", "authorization_code"),
                ("redirect_uri", redirect_uri),
                // To the token endpoint of the issuer that is configured, where both belong.
                ("code", code.expose()),
                ("code_verifier", attempt.verifier.expose()), // as above
            ],
        )?;
        self.tokens(&json_of(&answer, "the code")?, Some(&attempt.nonce))
    }

    /// A new id token for a refresh token.
    pub(crate) fn by_refresh_token(&self, refresh_token: &Secret<String>) -> Result<Tokens, OidcError> {
        let answer = self.post(
            &self.provider.token_endpoint,
            // Back to the token endpoint of the issuer that gave it.
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token.expose()),
            ],
        )?;
        self.tokens(&json_of(&answer, "to renew the sign-in")?, None)
    }

    /// A code for a person with a browser elsewhere. With PKCE, which some providers ask for here too, and others ignore.
    pub(crate) fn authorize_device(&self, attempt: &Attempt) -> Result<DeviceAuthorization, OidcError> {
        let endpoint = self.provider.device_endpoint.as_ref();
        let endpoint = endpoint.ok_or_else(|| OidcError::NoDeviceFlow(self.provider.issuer.clone()))?;
        let pairs = [
            ("scope", self.scopes()),
            ("code_challenge", attempt.challenge()),
            ("code_challenge_method", "S256".to_owned()),
        ];
        let answer = self.post(endpoint, &pairs.each_ref().map(|(name, value)| (*name, value.as_str())))?;
        let json = json_of(&answer, "a code for this device")?;
        let device = DeviceAuthorization::from_json(&json, self.clock.now());
        let device = device.ok_or(OidcError::Incomplete("a whole device code"))?;
        if is_safe_address(&device.verification_uri) {
            return Ok(device);
        }
        let page = sanitize(&device.verification_uri);
        Err(OidcError::Unusable {
            issuer: sanitize(&self.provider.issuer),
            problem: format!("it names `{page}` as the place for the code, which is not encrypted"),
        })
    }

    /// Asks once whether the person has approved.
    pub(crate) fn poll(
        &self,
        device: &DeviceAuthorization,
        attempt: &Attempt,
    ) -> Result<PollAnswer<Tokens>, OidcError> {
        let pairs = [
            ("grant_type", DEVICE_GRANT),
            // Back to the issuer that gave it, with what it got a digest of.
            ("device_code", device.device_code.expose()),
            ("code_verifier", attempt.verifier.expose()), // as above
        ];
        let answer = match self.post(&self.provider.token_endpoint, &pairs) {
            Ok(answer) => answer,
            Err(OidcError::Http(error)) if error.is_temporary() => return Ok(PollAnswer::SlowDown),
            Err(error) => return Err(error),
        };
        if matches!(answer.status, 429 | 500..) {
            return Ok(PollAnswer::SlowDown);
        }
        match json_of(&answer, "the device's code") {
            Ok(json) => Ok(PollAnswer::Done(self.tokens(&json, None)?)),
            Err(OidcError::Refused {
                error,
                description,
                what,
            }) => {
                let told = classify_poll(&[&error]).or_else(|| classify_poll(&[&description]));
                told.ok_or(OidcError::Refused {
                    what,
                    error,
                    description,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Gives a refresh token back (RFC 7009).
    pub(crate) fn revoke(&self, refresh_token: &Secret<String>) -> Result<(), OidcError> {
        let Some(endpoint) = &self.provider.revocation_endpoint else {
            return Ok(());
        };
        // Back to the issuer that gave it.
        let pairs = [
            ("token", refresh_token.expose().as_str()),
            ("token_type_hint", "refresh_token"),
        ];
        let answer = self.post(endpoint, &pairs)?;
        if answer.status == 200 {
            return Ok(());
        }
        json_of(&answer, "to end the sign-in").map(drop)
    }

    fn scopes(&self) -> String {
        self.scopes.join(" ")
    }

    /// A form, the client named in it.
    fn post(&self, url: &str, pairs: &[(&str, &str)]) -> Result<Response, OidcError> {
        let secret = self
            .client_secret
            .map(|secret| ("client_secret", secret.expose().as_str())); // to its own provider
        let pairs: Vec<_> = pairs
            .iter()
            .copied()
            .chain([("client_id", self.client_id)])
            .chain(secret)
            .collect();
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = Request {
            method: "POST",
            url: url.to_owned(),
            headers: vec![
                header("Content-Type", "application/x-www-form-urlencoded"),
                header("Accept", "application/json"),
                header("User-Agent", concat!("kubectl-cce_login/", env!("CARGO_PKG_VERSION"))),
            ],
            body: Some(form::encode_secrets(&pairs)),
        };
        Ok(self.http.send(request, self.deadline)?)
    }

    fn tokens(&self, json: &SecretJson, nonce: Option<&Secret<String>>) -> Result<Tokens, OidcError> {
        let text = |name: &str| json.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let id_token = Secret::new(text("id_token").ok_or(OidcError::Incomplete("an id token"))?.to_owned());
        let claims = id_token::check(
            &id_token,
            &Expected {
                issuer: &self.provider.issuer,
                client_id: self.client_id,
                nonce,
                now: self.clock.now(),
            },
        )?;
        Ok(Tokens {
            id_token,
            refresh_ends_at: ["refresh_expires_in", "refresh_token_expires_in"]
                .iter()
                .find_map(|name| end_of(json.get(name)?, self.clock.now())),
            refresh_token: text("refresh_token").map(|token| Secret::new(token.to_owned())),
            claims,
        })
    }
}

/// A good answer's JSON, or the refusal that it is.
fn json_of(answer: &Response, what: &'static str) -> Result<SecretJson, OidcError> {
    // Parsed here; what is secret in it goes into `Secret`s, and of a refusal only the two words for it leave.
    let json = SecretJson::parse(answer.body.expose()).ok();
    if (200..300).contains(&answer.status) {
        return json.ok_or(OidcError::Incomplete("JSON"));
    }
    let text = |name: &str| {
        let text = json.as_ref()?.get(name)?.as_str()?;
        Some(sanitize(text))
    };
    match text("error") {
        Some(error) => Err(OidcError::Refused {
            what,
            error,
            description: text("error_description").unwrap_or_default(),
        }),
        None if matches!(answer.status, 408 | 429 | 500..) => Err(OidcError::Busy { status: answer.status }),
        None => Err(OidcError::Refused {
            what,
            error: format!("status {}", answer.status),
            description: String::new(),
        }),
    }
}
