//! Every source of an identity, every precedence, every broken form: one directory each in `tests/identity/`.
//!
//! ```text
//! environment     variables, `NAME=value`
//! home/           files of the home directory
//! case.toml       what the cloud is like, what is in the keyring, what is run; see [`Case`]
//! expected.txt    exit, requests, whose certificate it is, what is said (BLESS=1 writes what is)
//! ```
//! `{…}` in the first three stands for something of the cloud's: see [`Cloud::value`].

use crate::support::{Outcome, World, check_text_at, in_repository};
use cce_login::config::{Config, Profile};
use cce_login::identity;
use cce_login::ids::ProfileName;
use cce_login::secret::Secret;
use cce_login::store::{LayeredStore, SecretStore};
use cce_sim::{AccessKey, AgencySpec, Behaviour, IdTokenSpec, ProviderSpec, Recorded, Sim, UserSpec};
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `case.toml`. Everything has a default: `get-credential` for `prod`, once, by nobody at a terminal.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Case {
    /// More arguments of `get-credential`.
    flags: Vec<String>,
    /// Other command lines, one after the other; `get-credential` is completed as always.
    commands: Vec<String>,
    /// What comes on stdin.
    piped: Option<String>,
    /// How often it is run, `--force-refresh` from the second time on.
    times: Option<usize>,
    /// So many seconds pass after each run.
    seconds_between: i64,
    /// A person sits there and types this.
    typed: Option<String>,
    /// Whose project `prod` is in, if not the first account's.
    users: Vec<UserSpec>,
    agencies: Vec<AgencySpec>,
    providers: Vec<ProviderSpec>,
    ecs_agency: Option<String>,
    pod_agency: Option<String>,
    passwords: BTreeMap<String, String>,
    passcodes: BTreeMap<String, String>,
    behaviour: Option<Behaviour>,
    /// The keyring's secrets of profiles, kept for what `config.toml` says.
    secrets: BTreeMap<String, String>,
    /// What a profile was like when its secret was kept, if it was not as in `config.toml`.
    kept: BTreeMap<String, Profile>,
    /// Secrets as they were kept before they were kept with what they are for.
    bare_secrets: BTreeMap<String, String>,
    /// More projects, each open to administrators.
    projects: Vec<String>,
    /// After the first run nothing is good any more that IAM has issued.
    revoked_after_first: bool,
    /// `CCE_LOGIN_CCE_ENDPOINT` is not set.
    no_cce_endpoint: bool,
}

#[test]
fn every_case_is_as_its_directory_says() {
    let mut cases: Vec<PathBuf> = fs::read_dir(in_repository("tests/identity"))
        .unwrap()
        .map(|item| item.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() > 60, "only {} cases", cases.len());
    let only = std::env::var("CASE").ok();
    cases.retain(|path| only.as_ref().is_none_or(|only| name_of(path).contains(only.as_str())));
    let failures: Vec<String> = std::thread::scope(|scope| {
        let half = cases.len().div_ceil(2).max(1);
        let runs: Vec<_> = cases.chunks(half).map(|some| scope.spawn(|| run_all(some))).collect();
        runs.into_iter().flat_map(|run| run.join().unwrap()).collect()
    });
    assert!(
        failures.is_empty(),
        "{} cases fail: {}",
        failures.len(),
        failures.join(", ")
    );
}

/// Runs them, and names those that fail; what is wrong with each is on stderr by then.
fn run_all(cases: &[PathBuf]) -> Vec<String> {
    let fails = |path: &&PathBuf| std::panic::catch_unwind(|| check(path)).is_err();
    cases.iter().filter(fails).map(|path| name_of(path)).collect()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn check(directory: &Path) {
    let name = name_of(directory);
    let read = |file: &str| fs::read_to_string(directory.join(file)).unwrap_or_default();
    let case: Case = toml_edit::de::from_str(&read("case.toml")).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut world = World::new();
    world.use_no_key();
    world.unset("CCE_LOGIN_IAM_ENDPOINT");
    // The cloud's authority is one of the system's: a bearer secret does not go by what an argument or a variable of ours says.
    world.unset("CCE_LOGIN_CA_FILE");
    let roots = world.path("cloud-ca.pem");
    world.set("SSL_CERT_FILE", &roots);
    if case.no_cce_endpoint {
        world.unset("CCE_LOGIN_CCE_ENDPOINT");
    }
    prepare(&world.sim, &case);
    let cloud = Cloud::default();
    for line in read("environment")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (variable, value) = line.split_once('=').unwrap_or_else(|| panic!("{name}: {line}"));
        let value = cloud.filled(&world, value);
        world.set(variable, &value);
    }
    copy_home(&mut world, &cloud, &directory.join("home"), Path::new(""));
    keep_secrets(&world, &cloud, &case);
    if let Some(typed) = &case.typed {
        let typed = cloud.filled(&world, typed);
        world.terminal(true, false, true);
        world.type_in(&typed);
    }
    if let Some(piped) = &case.piped {
        let piped = cloud.filled(&world, piped);
        world.pipe_in(&piped);
    }
    world.sim.clear_requests();

    let mut report = String::new();
    for command in case.command_lines() {
        let command = cloud.filled(&world, &command);
        let command: Vec<&str> = command.split_whitespace().collect();
        if case.is_told() {
            writeln!(report, "$ {}", named(&world, &case, &command.join(" "))).unwrap();
        }
        let outcome = match command.split_first() {
            Some((first, flags)) if *first == "get-credential" => world.get_credential(flags),
            _ => world.run(&command),
        };
        describe(&mut report, &world, &case, &outcome);
        world.sim.clear_requests();
        if case.revoked_after_first {
            world.sim.revoke_all_tokens();
            world.sim.expire_temporary_access_keys();
        }
        if case.seconds_between > 0 {
            world.let_pass(case.seconds_between);
        }
    }
    if case.is_told() {
        writeln!(report, "keyring: {} entries", world.keyring().names().len()).unwrap();
    }
    check_text_at(&directory.join("expected.txt"), &report);
}

fn keep_secrets(world: &World, cloud: &Cloud, case: &Case) {
    let keyring: Arc<dyn SecretStore> = Arc::new(world.keyring().clone());
    let secrets = LayeredStore::new(vec![keyring.clone()], None);
    let config = Config::load(&world.directories(), &cce_login::host::Inputs::default()).unwrap_or_default();
    let filled = |text: &Option<String>| text.as_ref().map(|text| cloud.filled(world, text));
    for (name, secret) in &case.secrets {
        let secret = Secret::new(cloud.filled(world, secret));
        let profile = case.kept.get(name).map(|profile| Profile {
            access_key_id: filled(&profile.access_key_id),
            iam_endpoint: filled(&profile.iam_endpoint),
            ..profile.clone()
        });
        let profile = profile.unwrap_or_else(|| config.profiles[name].clone());
        let name = ProfileName::parse(name).unwrap();
        identity::keep_secret(&secrets, &name, &profile, &secret, world.now());
    }
    for (name, secret) in &case.bare_secrets {
        let account = identity::secret_account(&ProfileName::parse(name).unwrap());
        let secret = Secret::new(cloud.filled(world, secret).into_bytes());
        keyring.set(&account, "", &secret, None, world.now()).unwrap();
    }
}

fn prepare(sim: &Sim, case: &Case) {
    if let Some(behaviour) = &case.behaviour {
        sim.set_behaviour(|b| *b = behaviour.clone());
    }
    for user in &case.users {
        sim.create_user(user);
    }
    for project in &case.projects {
        sim.add_project(project);
    }
    for (user, password) in &case.passwords {
        sim.set_password(user, password);
    }
    for (user, secret) in &case.passcodes {
        sim.set_totp(user, Some(secret));
    }
    for provider in &case.providers {
        sim.add_identity_provider(provider);
    }
    for agency in &case.agencies {
        sim.add_agency(agency);
    }
    sim.set_ecs_agency(case.ecs_agency.as_deref());
    sim.set_pod_agency(case.pod_agency.as_deref());
}

fn copy_home(world: &mut World, cloud: &Cloud, from: &Path, below: &Path) {
    let Ok(items) = fs::read_dir(from.join(below)) else {
        return;
    };
    for item in items {
        let path = below.join(item.unwrap().file_name());
        if from.join(&path).is_dir() {
            copy_home(world, cloud, from, &path);
            continue;
        }
        let text = cloud.filled(world, &fs::read_to_string(from.join(&path)).unwrap());
        world.write(path.to_str().unwrap(), text);
        // Somebody else's file: secrets are in it by right.
        world.allow_secrets_below(path.to_str().unwrap());
    }
}

impl Case {
    fn is_told(&self) -> bool {
        !self.commands.is_empty()
    }

    fn command_lines(&self) -> Vec<String> {
        if self.is_told() {
            return self.commands.clone();
        }
        let line = |time: usize| {
            let again = if time > 0 { " --force-refresh" } else { "" };
            format!("get-credential {}{again}", self.flags.join(" "))
        };
        (0..self.times.unwrap_or(1)).map(line).collect()
    }
}

/// Exit, requests, whose certificate, stdout of a report, stderr.
fn describe(report: &mut String, world: &World, case: &Case, outcome: &Outcome) {
    writeln!(report, "exit {}", outcome.exit.code()).unwrap();
    for request in world.sim.requests() {
        writeln!(
            report,
            "{} {}: {} ({})",
            request.service,
            request.operation,
            request.status,
            proof(&request)
        )
        .unwrap();
    }
    if outcome.stdout.contains("clientCertificateData") {
        let pem = outcome.shown_credential().certificate;
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        let name = certificate
            .subject()
            .iter_common_name()
            .next()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        let name = named(world, case, &name);
        // A federated user's id is another one after every sign-in.
        let is_known = name.starts_with('[');
        writeln!(
            report,
            "certificate of {}",
            if is_known { &name } else { "[ANOTHER ID]" }
        )
        .unwrap();
    } else if !outcome.stdout.is_empty() {
        writeln!(report, "--- stdout\n{}", named(world, case, outcome.stdout.trim_end())).unwrap();
    }
    if !outcome.stderr.is_empty() {
        writeln!(report, "--- stderr\n{}", named(world, case, outcome.stderr.trim_end())).unwrap();
    }
}

/// How a request shows who is asking, and what a request for a token is for.
fn proof(request: &Recorded) -> String {
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap_or_default();
    let methods = body
        .pointer("/auth/identity/methods")
        .and_then(|methods| methods.as_array());
    let methods = methods.map(|methods| {
        methods
            .iter()
            .map(|method| method.as_str().unwrap())
            .collect::<Vec<_>>()
            .join("+")
    });
    let agency = body
        .pointer("/auth/identity/assume_role")
        .and_then(|agency| agency.as_object());
    let agency = agency.map(|agency| agency.keys().map(String::as_str).collect::<Vec<_>>().join("+"));
    let scope = body
        .pointer("/auth/scope")
        .and_then(|scope| scope.as_object())
        .and_then(|scope| scope.keys().next());
    let shown = match (
        &request.access_key_id,
        request.header("x-auth-token"),
        request.header("authorization"),
    ) {
        (_, Some(_), _) => "token",
        (Some(_), ..) if request.header("x-security-token").is_some() => "signed with a temporary key",
        (Some(_), ..) => "signed",
        (None, None, Some(_)) => "bearer",
        (None, None, None) if request.header("x-metadata-token").is_some() => "metadata token",
        (None, None, None) => "nothing shown",
    };
    let parts = [
        Some(shown.to_owned()),
        methods,
        agency,
        scope.map(|scope| format!("for a {scope}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The text with ids and addresses replaced by what they are.
fn named(world: &World, case: &Case, text: &str) -> String {
    let mut text = world.elided(text);
    for agency in &case.agencies {
        text = text.replace(&world.sim.agency_id(&agency.name), &format!("[ID OF {}]", agency.name));
    }
    for user in &case.users {
        text = text.replace(&world.sim.user_id(&user.name), &format!("[ID OF {}]", user.name));
    }
    for account in ["example-account", "other-account"] {
        text = text.replace(&world.sim.account_id(account), &format!("[ID OF {account}]"));
    }
    // A federated user's id is another one after every sign-in, a temporary key's after every run.
    let is_hex = |word: &str| word.len() == 32 && word.chars().all(|c| c.is_ascii_hexdigit());
    let is_temporary = |word: &str| word.len() == 20 && word.starts_with("ST");
    let words: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .map(str::to_owned)
        .collect();
    for word in words {
        if is_hex(&word) {
            text = text.replace(&word, "[ANOTHER ID]");
        } else if is_temporary(&word) {
            text = text.replace(&word, "[TEMPORARY AK]");
        }
    }
    text
}

/// The cloud's own values, each made once.
#[derive(Default)]
struct Cloud {
    temporary_keys: RefCell<BTreeMap<String, AccessKey>>,
}

impl Cloud {
    fn filled(&self, world: &World, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").unwrap_or_else(|| panic!("unclosed in {text}"));
            filled += before;
            filled += &self.value(world, name);
            rest = after;
        }
        filled + rest
    }

    fn value(&self, world: &World, name: &str) -> String {
        let sim = &world.sim;
        let (kind, whose) = name.split_once(' ').unwrap_or((name, ""));
        let project = sim.region();
        let temporary = || {
            let mut keys = self.temporary_keys.borrow_mut();
            keys.entry(whose.to_owned())
                .or_insert_with(|| sim.temporary_access_key(whose))
                .clone()
        };
        match kind {
            "line-break" => "\n".to_owned(),
            "byte-order-mark" => "\u{feff}".to_owned(),
            "iam" => sim.iam_endpoint(),
            "cce" => sim.cce_endpoint(),
            "sts" => sim.sts_endpoint(),
            "metadata" => sim.metadata_endpoint(),
            "home" => world.path(whose),
            "ak" => sim.access_key(whose).id,
            "sk" => sim.access_key(whose).secret,
            "temporary-ak" => temporary().id,
            "temporary-sk" => temporary().secret,
            "security-token" => temporary().security_token.unwrap(),
            "token" => sim.token(whose, Some(project)),
            "account-token" => sim.token(whose, None),
            "revoked-token" => {
                let token = sim.token(whose, Some(project));
                sim.revoke_token(&token);
                token
            }
            "user-id" => sim.user_id(whose),
            "account-id" => sim.account_id(whose),
            "project-id" => sim.project_id(whose),
            "passcode" => sim.passcode(whose),
            "agency-urn" => sim.agency_urn(whose),
            "provider-urn" => sim.provider_urn(whose),
            "id-token" => sim.id_token(&IdTokenSpec::default()),
            "expired-id-token" => sim.id_token(&IdTokenSpec {
                offset: -7200,
                ..IdTokenSpec::default()
            }),
            "foreign-id-token" => sim.id_token(&IdTokenSpec {
                issuer: "https://other.example".to_owned(),
                ..IdTokenSpec::default()
            }),
            "pod-uri" => sim.pod_credentials_uri(),
            "pod-token" => sim.pod_authorization_token(),
            "actions-url" => sim.actions_request_url(),
            "actions-token" => sim.actions_request_token(),
            _ => panic!("there is no {name}"),
        }
    }
}
