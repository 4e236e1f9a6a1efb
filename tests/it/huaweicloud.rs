//! The cloud's protocol: hosts, signatures, requests, answers, and what an endpoint taught us.

mod answers;
mod clouds;
mod clustercert;
mod examples;
mod failing;
mod observed;
mod proxies;
mod signing;
