//! Id tokens as identity providers issue them: JWTs with RS256. All issuers share one key; a forger has another.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ring::{
    rand::SystemRandom,
    rsa::{KeyPair, PublicKeyComponents},
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256},
};
use serde_json::{Value, json};

use crate::{accounts::IdTokenSpec, directory::Provider, keys, pki};

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
    encode(&header, &claims, if spec.is_forged { FORGERS_KEY } else { ISSUERS_KEY })
}

/// An id token of these claims: by a key that IAM does not have, or by none at all.
pub(crate) fn sign_claims(claims: &Value, is_other_key: bool, is_unsigned: bool) -> String {
    if is_unsigned {
        let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        return format!("{}.{}.", part(&json!({"typ": "JWT", "alg": "none"})), part(claims));
    }
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "simulated"});
    encode(&header, claims, if is_other_key { FORGERS_KEY } else { ISSUERS_KEY })
}

/// The issuers' public key as a set of keys.
pub(crate) fn jwks() -> Value {
    let key = key(ISSUERS_KEY);
    let parts: PublicKeyComponents<Vec<u8>> = PublicKeyComponents::from(key.public());
    json!({"keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "simulated",
        "n": URL_SAFE_NO_PAD.encode(parts.n), "e": URL_SAFE_NO_PAD.encode(parts.e),
    }]})
}

fn encode(header: &Value, claims: &Value, key_number: usize) -> String {
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let key = key(key_number);
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
/// The keys are those of `jwks`, else the issuers' own.
pub(crate) fn verify(text: &str, keys: Option<&str>, now: DateTime<Utc>) -> Result<Claims, &'static str> {
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
    let set = keys.map_or_else(|| Some(jwks()), |keys| serde_json::from_str(keys).ok());
    let set = set.ok_or("the signing key at IAM is no JSON")?;
    let is_signed = set["keys"].as_array().into_iter().flatten().any(|key| {
        let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str()?).ok();
        let (Some(n), Some(e)) = (part("n"), part("e")) else {
            return false;
        };
        let is_meant = header["kid"].is_null() || key["kid"].is_null() || header["kid"] == key["kid"];
        let parts = PublicKeyComponents { n, e };
        is_meant
            && parts
                .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
                .is_ok()
    });
    if !is_signed {
        return Err("its signature is not the issuer's");
    }
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
        subject: match &claims["sub"] {
            Value::Number(number) => number.to_string(),
            subject => text(subject),
        },
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
        let refusal = |spec: IdTokenSpec| verify(&sign(&spec, now), None, now).err();
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
        assert!(verify(&touched, None, now).is_err());
    }
}
