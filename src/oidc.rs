//! `OpenID` Connect as a program on somebody's own machine speaks it: discovery, authorization code with PKCE by a loopback redirect, device
//! code, refresh tokens, revocation. What comes of it is an id token for the cloud's IAM, which checks its signature; we check whom it is for.
//!
//! Nothing is kept here, nobody is asked and no browser is opened: that is `sign_in`'s.

mod answer;
mod callback;
mod device;
mod discovery;
mod error;
mod form;
pub(crate) mod id_token;
mod pkce;
mod redirect_url;
mod token;

pub(crate) use callback::Callback;
pub(crate) use device::{DeviceAuthorization, PollAnswer, classify_poll, end_of};
pub(crate) use discovery::{Provider, is_safe_address};
pub(crate) use error::OidcError;
pub(crate) use id_token::{Claims, claim_text};
pub(crate) use pkce::Attempt;
pub(crate) use redirect_url::RedirectUrl;
pub(crate) use token::{OidcClient, Tokens};
