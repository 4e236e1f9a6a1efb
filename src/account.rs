//! What IAM says of us: who we are, which projects there are, what we are called, what a new profile needs and an old one leaves.

pub(crate) mod new_profile;
pub(crate) mod old_profile;
pub(crate) mod portal_role;
pub(crate) mod principal;
pub(crate) mod project;
pub(crate) mod region;
pub(crate) mod sign_off;
pub(crate) mod user_name;
