//! The company's identity provider, and the person in front of it.

use super::Sim;
use crate::{
    accounts::ProviderSpec,
    provider::{self, CLIENT, CONFIDENTIAL, CONFIDENTIAL_SECRET},
    world::lock,
};

impl Sim {
    /// `iss`: `https://127.0.0.1:PORT`
    pub fn provider_issuer(&self) -> String {
        format!("https://{}", self.provider)
    }

    /// The public client that is registered there.
    pub fn provider_client(&self) -> &'static str {
        CLIENT
    }

    /// The client with a secret, and the secret.
    pub fn confidential_client(&self) -> (&'static str, &'static str) {
        (CONFIDENTIAL, CONFIDENTIAL_SECRET)
    }

    /// IAM knows this provider from now on under this name.
    pub fn trust_provider(&self, name: &str) {
        self.add_identity_provider(&ProviderSpec {
            name: name.to_owned(),
            issuer: self.provider_issuer(),
            audiences: vec![CLIENT.to_owned(), CONFIDENTIAL.to_owned()],
            ..ProviderSpec::default()
        });
    }

    /// A person's browser visits the authorization address; where it is sent back to.
    pub fn visit_provider(&self, url: &str) -> Result<String, String> {
        provider::visit(&self.world, url)
    }

    /// Somebody posts a form to an endpoint of the provider; what it answers.
    pub fn post_to_provider(&self, path: &str, form: &str) -> String {
        provider::post(&self.world, path, form)
    }

    /// The person approves or denies a device's code; false where there is none.
    pub fn decide_device(&self, user_code: &str, verdict: bool) -> bool {
        provider::decide(&self.world, user_code, verdict)
    }

    /// Every refresh token of the provider is void.
    pub fn revoke_refresh_tokens(&self) {
        lock(&self.world.provider).revoke_all();
    }

    /// How many refresh tokens of the provider are good.
    pub fn refresh_tokens(&self) -> usize {
        lock(&self.world.provider).refresh_tokens()
    }
}
