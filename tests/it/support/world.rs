//! A private world: a simulated cloud, a home directory, an environment. Nothing in it is the machine's.

use super::Secrets;
use cce_sim::Sim;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// One user with one home directory, before one cloud. Where their commands run is `M`: in this process, or as processes (`system`).
pub(crate) struct World<M> {
    pub(crate) sim: Sim,
    // Before the home directory, so that it ends first.
    pub(crate) machine: M,
    home: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    /// Ids of access keys, and what they are called in texts.
    pub(super) access_keys: [(String, String); 3],
    pub(super) secrets: RefCell<Secrets>,
}

/// What every world has.
impl<M> World<M> {
    /// With `alice`'s access key in the environment.
    pub(crate) fn on(machine: M, home: tempfile::TempDir, sim: Sim) -> Self {
        let mut world = Self {
            machine,
            home,
            variables: BTreeMap::new(),
            access_keys: ["alice", "bob", "carol"].map(|user| (sim.access_key(user).id, format!("[AK OF {user}]"))),
            secrets: RefCell::default(),
            sim,
        };
        let run = world.home().join("run");
        std::fs::create_dir(&run).unwrap();
        std::fs::set_permissions(&run, std::fs::Permissions::from_mode(0o700)).unwrap();
        world.write("cloud-ca.pem", world.sim.ca_pem());
        world.set("HOME", world.path(""));
        world.set("XDG_RUNTIME_DIR", run);
        world.use_key_of("alice");
        world
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A path in the home directory, as text.
    pub(crate) fn path(&self, name: &str) -> String {
        let path = if name.is_empty() {
            self.home().to_owned()
        } else {
            self.home().join(name)
        };
        path.to_str().unwrap().to_owned()
    }

    /// Writes a file in the home directory, and returns its path.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.home().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        self.path(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.home().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.home().join(name).exists()
    }

    /// Sets an environment variable.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        let value = value.as_ref().to_str().unwrap();
        if name.ends_with("_SK") || name.ends_with("_SECURITY_TOKEN") || name == "VAULT_TOKEN" {
            self.secrets.borrow_mut().add_text(value);
        }
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn variable(&self, name: &str) -> String {
        self.variables.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// The environment of every run.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Puts this user's access key into the environment.
    pub(crate) fn use_key_of(&mut self, user: &str) {
        let key = self.sim.access_key(user);
        self.set("HUAWEICLOUD_SDK_AK", &key.id);
        self.set("HUAWEICLOUD_SDK_SK", &key.secret);
    }

    /// No access key in the environment.
    pub(crate) fn use_no_key(&mut self) {
        self.unset("HUAWEICLOUD_SDK_AK");
        self.unset("HUAWEICLOUD_SDK_SK");
    }

    /// Secrets may lie below this path of the home directory: the user asked for it by name.
    pub(crate) fn allow_secrets_below(&self, name: &str) {
        let path = self.home().join(name);
        self.secrets.borrow_mut().allow_below(path);
    }

    /// A private key, PEM, that must not be seen either.
    pub(crate) fn know_private_key(&self, pem: &str) {
        self.secrets.borrow_mut().add_private_key(pem);
    }

    /// Fails if a secret is where it must not be: on stdout (but for the credential itself), in what else was said, in a file or its name.
    pub(crate) fn check_secrecy(&self, stdout: &str, said: &[(String, &str)]) {
        let mut secrets = self.secrets.borrow_mut();
        for secret in self.sim.secrets() {
            secrets.add_text(&secret);
        }
        secrets.add_credential(stdout);
        secrets.check(stdout, said, self.home());
    }

    /// How many certificates were asked for since the start.
    pub(crate) fn certificate_requests(&self) -> usize {
        self.sim.count("clustercert")
    }
}
