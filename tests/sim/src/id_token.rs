//! Id tokens as identity providers issue them: JWTs with RS256. All issuers share one key; a forger has another.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ring::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use serde_json::{Value, json};

use crate::{directory::Provider, keys, people::IdTokenSpec, pki};

const ISSUERS_KEY: usize = 0;
const FORGERS_KEY: usize = 1;
/// How far the issuer's clock may be ahead.
const LEEWAY_SECONDS: i64 = 60;

/// What an id token says.
#[derive(Debug)]
pub(crate) struct Claims {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audiences: Vec<String>,
}

impl Claims {
    /// Whether this provider issued it, for an audience that IAM takes.
    pub(crate) fn check(&self, provider: &Provider) -> Result<(), &'static str> {
        if self.issuer != provider.issuer {
            return Err("the issuer is not the identity provider's");
        }
        let is_meant = self
            .audiences
            .iter()
            .any(|audience| provider.audiences.contains(audience));
        is_meant
            .then_some(())
            .ok_or("the audience is not the identity provider's client")
    }
}

pub(crate) fn sign(spec: &IdTokenSpec, now: DateTime<Utc>) -> String {
    let issued_at = now.timestamp() + spec.offset;
    let lifetime = i64::try_from(spec.lifetime.as_secs()).unwrap_or(i64::MAX / 2);
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "simulated"});
    let claims = json!({
        "iss": spec.issuer, "sub": spec.subject, "aud": spec.audience, "jti": pki::random_uuid(),
        "iat": issued_at, "nbf": issued_at, "exp": issued_at + lifetime,
    });
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let key = key(if spec.is_forged { FORGERS_KEY } else { ISSUERS_KEY });
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .expect("an RSA key signs");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Checks form, signature and time; issuer and audience are the reader's affair.
pub(crate) fn verify(text: &str, now: DateTime<Utc>) -> Result<Claims, &'static str> {
    let (signed, signature) = text.rsplit_once('.').ok_or("it is no JWT")?;
    let (header, claims) = signed.split_once('.').ok_or("it is no JWT")?;
    let decode = |part: &str| -> Option<Value> {
        let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    let header = decode(header).ok_or("its header is no JSON")?;
    if header["alg"] != "RS256" {
        return Err("its algorithm is not RS256");
    }
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| "its signature is no base64url")?;
    let key = key(ISSUERS_KEY);
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key())
        .verify(signed.as_bytes(), &signature)
        .map_err(|_| "its signature is not the issuer's")?;
    let claims = decode(claims).ok_or("its claims are no JSON")?;
    let seconds = |name: &str| claims[name].as_i64().ok_or("a claim of time is missing");
    if seconds("exp")? <= now.timestamp() {
        return Err("it has expired");
    }
    if seconds("iat")? > now.timestamp() + LEEWAY_SECONDS {
        return Err("it is not valid yet");
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Claims {
        issuer: text(&claims["iss"]),
        subject: text(&claims["sub"]),
        audiences: match &claims["aud"] {
            Value::Array(audiences) => audiences.iter().map(text).collect(),
            one => vec![text(one)],
        },
    })
}

fn key(number: usize) -> KeyPair {
    let pkcs8 = keys::rsa_key(number).pair.serialize_der();
    KeyPair::from_pkcs8(&pkcs8).expect("a pooled key is an RSA key")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_the_issuers_own_good_token_is_taken() {
        let now = Utc::now();
        let refusal = |spec: IdTokenSpec| verify(&sign(&spec, now), now).err();
        let good = IdTokenSpec::default();
        assert_eq!(refusal(good.clone()), None);
        let forged = IdTokenSpec {
            is_forged: true,
            ..good.clone()
        };
        assert_eq!(refusal(forged), Some("its signature is not the issuer's"));
        let late = IdTokenSpec {
            offset: -3600,
            lifetime: Duration::from_secs(3600),
            ..good.clone()
        };
        assert_eq!(refusal(late), Some("it has expired"));
        let early = IdTokenSpec {
            offset: 90,
            ..good.clone()
        };
        assert_eq!(refusal(early), Some("it is not valid yet"));
        let touched = sign(&good, now).replacen("ey", "eY", 1);
        assert!(verify(&touched, now).is_err());
    }
}
