//! A kubeconfig as a client reads it.

use serde_json::Value;

/// A kubeconfig's content.
#[derive(Debug, PartialEq)]
pub(crate) struct Written(pub(crate) Value);

impl Written {
    pub(crate) fn parse(text: &str) -> Self {
        Self(serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}")))
    }

    pub(crate) fn current(&self) -> Option<&str> {
        self.0["current-context"].as_str().filter(|name| !name.is_empty())
    }

    /// The names in one of the lists.
    pub(crate) fn names(&self, list: &str) -> Vec<&str> {
        let entries = self.0[list].as_array().into_iter().flatten();
        entries.map(|entry| entry["name"].as_str().unwrap()).collect()
    }

    pub(crate) fn cluster(&self, name: &str) -> &Value {
        &self.entry("clusters", name)["cluster"]
    }

    pub(crate) fn context(&self, name: &str) -> &Value {
        &self.entry("contexts", name)["context"]
    }

    /// The exec part of the user.
    pub(crate) fn exec(&self, user: &str) -> &Value {
        &self.entry("users", user)["user"]["exec"]
    }

    /// The arguments of the user's exec part.
    pub(crate) fn args(&self, user: &str) -> Vec<&str> {
        let args = self.exec(user)["args"].as_array().unwrap();
        args.iter().map(|arg| arg.as_str().unwrap()).collect()
    }

    fn entry(&self, list: &str, name: &str) -> &Value {
        let mut entries = self.0[list].as_array().into_iter().flatten();
        let found = entries.find(|entry| entry["name"] == name);
        found.unwrap_or_else(|| panic!("no `{name}` among the {list} {:?}", self.names(list)))
    }
}
