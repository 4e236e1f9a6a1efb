//! Tokens for users of an identity provider, in exchange for an id token.

use hyper::Method;

use super::{
    identities::Proven,
    request::{self, Body, IdTokenAuth},
    tokens,
};
use crate::{
    answer::Answer,
    errors, id_token, pki,
    principal::Identity,
    server::Received,
    tokens::Scope,
    world::{World, lock},
};

/// `POST /v3.0/OS-AUTH/id-token/tokens`: the provider is in a header.
pub(super) fn exchange(world: &World, received: &Received) -> Result<Answer, Answer> {
    if world.behaviour().only_federation_path {
        return Err(errors::no_such_api());
    }
    let Some(provider) = received.header("x-idp-id") else {
        return Err(errors::iam(400, "Bad Request", "X-Idp-Id is missing."));
    };
    let body: Body<IdTokenAuth> = request::parse(received)?;
    let proven = prove(world, provider, &body.auth.id_token.id)?;
    tokens::issue(world, proven, body.auth.scope.as_ref(), received)
}

/// `/v3/OS-FEDERATION/identity_providers/{provider}/protocols/oidc/auth`, as otc-auth sends it: the provider is in the path, the id token in
/// `Authorization`. The token is unscoped.
pub(super) fn authenticate(world: &World, provider: &str, received: &Received) -> Result<Answer, Answer> {
    let bearer = received.header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    });
    let bearer = bearer.ok_or_else(|| errors::iam_unauthorized("The id token is missing."))?;
    let proven = prove(world, provider, bearer)?;
    tokens::issue(world, proven, None, received)
}

/// The provider that the path of [`authenticate`] names.
pub(super) fn provider<'a>(method: &Method, segments: &[&'a str]) -> Option<&'a str> {
    match segments {
        [
            "v3",
            "OS-FEDERATION",
            "identity_providers",
            provider,
            "protocols",
            "oidc",
            "auth",
        ] if method == Method::POST || method == Method::GET => Some(provider),
        _ => None,
    }
}

fn prove(world: &World, provider: &str, text: &str) -> Result<Proven, Answer> {
    let directory = lock(&world.directory);
    let Some(provider) = directory.provider(provider) else {
        let message = format!("Could not find identity provider: {provider}.");
        return Err(errors::iam(404, "Not Found", &message));
    };
    if world
        .behaviour()
        .longest_id_token
        .is_some_and(|longest| text.len() > longest)
    {
        // OTC's words (otc-auth#169).
        return Err(errors::iam(
            400,
            "Bad Request",
            "Request parameter 'id token' is invalid.",
        ));
    }
    let keys = provider.signing_key.as_deref();
    let claims = id_token::verify(text, keys, world.now()).and_then(|claims| claims.check(provider).map(|()| claims));
    let claims = claims.map_err(|why| errors::iam_unauthorized(&format!("The id token is invalid: {why}.")))?;
    Ok(Proven {
        identity: Identity::Federated {
            provider: provider.name.clone(),
            subject: claims.subject,
            user_id: pki::random_id(),
        },
        methods: vec!["mapped".to_owned()],
        default_scope: Scope::Unscoped,
        not_after: None,
    })
}
