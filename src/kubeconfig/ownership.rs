//! Which entries are ours, and for which cluster id. We never overwrite any other.

use crate::kubeconfig::edit::kind::Kind;
use crate::kubeconfig::error::Owner;
use crate::kubeconfig::meaning::text;
use crate::kubeconfig::view::UserView;
use crate::kubeconfig::{Kubeconfig, KubeconfigError, Login};

use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// A context whose user runs `kubectl-cce_login get-credential`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurContext<'k> {
    /// The context's name.
    pub name: &'k str,
    /// Its namespace.
    pub(crate) namespace: Option<&'k str>,
    /// The cluster entry's name.
    pub(crate) cluster_name: Option<&'k str>,
    /// The user entry's name.
    pub(crate) user_name: &'k str,
    /// The exec command as configured.
    pub(crate) command: &'k str,
    /// Its arguments, `get-credential` first.
    pub(crate) args: Vec<&'k str>,
    /// The `apiVersion` of the exec block.
    pub(crate) api_version: Option<&'k str>,
    /// The API server's URL.
    pub(crate) server: Option<&'k str>,
    /// The embedded CA, decoded (PEM).
    pub(crate) certificate_authority_data: Option<Vec<u8>>,
    /// The CA's file.
    pub(crate) certificate_authority: Option<PathBuf>,
    /// The name that the server's certificate is checked against.
    pub(crate) tls_server_name: Option<&'k str>,
    /// The proxy.
    pub(crate) proxy_url: Option<&'k str>,
    /// Whether the server goes unchecked.
    pub(crate) insecure_skip_tls_verify: bool,
    /// The file that defines the context.
    pub(crate) file: &'k Path,
}

/// The `--cluster-id` among the arguments of an exec block.
pub(crate) fn cluster_id<S: AsRef<str>>(args: &[S]) -> Option<&str> {
    let mut args = args.iter().map(AsRef::as_ref);
    while let Some(arg) = args.next() {
        if arg == "--cluster-id" {
            return args.next();
        }
        if let Some(id) = arg.strip_prefix("--cluster-id=") {
            return Some(id);
        }
    }
    None
}

fn is_ours(command: &str, first_arg: Option<&str>) -> bool {
    let base = command.rsplit(['/', '\\']).next().unwrap_or(command);
    let stem = match base.split_at_checked(base.len().saturating_sub(4)) {
        Some((stem, extension)) if extension.eq_ignore_ascii_case(".exe") => stem,
        _ => base,
    };
    stem == "kubectl-cce_login" && first_arg == Some("get-credential")
}

/// Whether an exec block runs `kubectl-cce_login get-credential`.
pub(crate) fn is_our_exec(exec: &Value) -> bool {
    let first = exec.get("args").and_then(|args| args.get(0)?.as_str());
    text(exec, "command").is_some_and(|command| is_ours(command, first))
}

impl UserView<'_> {
    /// Whether the user runs `kubectl-cce_login get-credential`, by whatever path.
    pub(crate) fn is_ours(&self) -> bool {
        self.command
            .is_some_and(|command| is_ours(command, self.args.first().copied()))
    }

    /// Nothing if it is ours for this cluster id, else whose it is.
    fn stranger(&self, cluster_id: Option<&str>) -> Option<Owner> {
        let own = self::cluster_id(&self.args);
        if !self.is_ours() {
            Some(Owner::Somebody)
        } else if own == cluster_id {
            None
        } else {
            Some(own.map_or(Owner::Somebody, |id| Owner::OtherCluster(id.to_owned())))
        }
    }
}

impl Kubeconfig {
    /// The contexts that use us, in kubectl's order of precedence.
    pub fn ours(&self) -> Vec<OurContext<'_>> {
        let contexts = self.contexts().into_iter();
        contexts
            .filter_map(|context| {
                let user = self.user(context.user?).filter(UserView::is_ours)?;
                let cluster = context.cluster.and_then(|name| self.cluster(name));
                Some(OurContext {
                    name: context.name,
                    namespace: context.namespace,
                    cluster_name: context.cluster,
                    user_name: user.name,
                    command: user.command?,
                    args: user.args,
                    api_version: user.api_version,
                    server: cluster.as_ref().and_then(|cluster| cluster.server),
                    tls_server_name: cluster.as_ref().and_then(|cluster| cluster.tls_server_name),
                    proxy_url: cluster.as_ref().and_then(|cluster| cluster.proxy_url),
                    insecure_skip_tls_verify: cluster.as_ref().is_some_and(|cluster| cluster.insecure_skip_tls_verify),
                    certificate_authority: cluster.as_ref().and_then(|cluster| {
                        let path = cluster.certificate_authority.filter(|path| !path.is_empty())?;
                        Some(cluster.file.parent().unwrap_or(Path::new("")).join(path))
                    }),
                    certificate_authority_data: cluster.and_then(|cluster| cluster.certificate_authority_data),
                    file: context.file,
                })
            })
            .collect()
    }

    /// Whether a login for this cluster id may use this context name: no such context, or ours for the same id.
    pub fn context_is_free_for(&self, name: &str, cluster_id: &str) -> bool {
        self.context_owner(name, Some(cluster_id), None).is_none()
    }

    /// Whether a login for this cluster id may use this user name: no such user, or ours for the same id.
    pub fn user_is_free_for(&self, name: &str, cluster_id: &str) -> bool {
        self.user(name)
            .and_then(|user| user.stranger(Some(cluster_id)))
            .is_none()
    }

    /// Whose the context is, if it is not ours for this id; `user` is the user entry that the caller is about to write.
    fn context_owner(&self, name: &str, cluster_id: Option<&str>, user: Option<&str>) -> Option<Owner> {
        let context = self.context(name)?;
        match context.user.map(|name| (name, self.user(name))) {
            Some((_, Some(user))) => user.stranger(cluster_id),
            // Our context, its user entry was deleted by hand.
            Some((name, None)) if Some(name) == user => None,
            _ => Some(Owner::Somebody),
        }
    }

    /// Nothing if every entry that the logins would write is free or ours for the same cluster id, else the first that is not.
    pub(crate) fn check_free(&self, logins: &[Login]) -> Result<(), KubeconfigError> {
        let users_of_clusters = self.users_of_clusters();
        logins
            .iter()
            .try_for_each(|login| self.check_one(login, &users_of_clusters))
    }

    /// The logins, by their position, that would write an entry that is neither free nor ours for the same cluster id.
    pub(crate) fn refusals(&self, logins: &[Login]) -> Vec<(usize, KubeconfigError)> {
        let users_of_clusters = self.users_of_clusters();
        let refused = logins.iter().enumerate();
        refused
            .filter_map(|(at, login)| Some((at, self.check_one(login, &users_of_clusters).err()?)))
            .collect()
    }

    fn check_one(
        &self,
        login: &Login,
        users_of_clusters: &HashMap<&str, HashSet<Option<&str>>>,
    ) -> Result<(), KubeconfigError> {
        let id = cluster_id(&login.exec.args);
        let taken = |kind, name: &str, owner| {
            let path = self.find(kind, name).map(|(_, file, _)| file.path.clone());
            Err(KubeconfigError::Taken {
                kind,
                name: name.to_owned(),
                path: path.unwrap_or_default(),
                owner,
            })
        };
        if let Some(owner) = self.user(&login.user_name).and_then(|user| user.stranger(id)) {
            return taken(Kind::User, &login.user_name, owner);
        }
        if let Some(owner) = self.context_owner(&login.context_name, id, Some(&login.user_name)) {
            return taken(Kind::Context, &login.context_name, owner);
        }
        if let Some((_, _, body)) = self.find(Kind::Cluster, &login.cluster_name) {
            let server = text(body, "server").unwrap_or_default();
            let users = users_of_clusters.get(login.cluster_name.as_str());
            let is_only_ours = users.is_some_and(|users| {
                users.iter().all(|name| {
                    let user = name.and_then(|name| self.user(name));
                    user.map_or(*name == Some(&login.user_name), |user| user.stranger(id).is_none())
                })
            });
            if server != login.cluster.server && !is_only_ours {
                return taken(
                    Kind::Cluster,
                    &login.cluster_name,
                    Owner::OtherServer(server.to_owned()),
                );
            }
        }
        Ok(())
    }

    /// For each cluster name, the user names of the contexts that use it.
    pub(crate) fn users_of_clusters(&self) -> HashMap<&str, HashSet<Option<&str>>> {
        let mut users: HashMap<&str, HashSet<Option<&str>>> = HashMap::new();
        for context in self.contexts() {
            if let Some(cluster) = context.cluster {
                users.entry(cluster).or_default().insert(context.user);
            }
        }
        users
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_ours_by_base_name_and_first_argument() {
        for command in [
            "kubectl-cce_login",
            "/opt/x/kubectl-cce_login",
            "C:\\x\\kubectl-cce_login.exe",
            "kubectl-cce_login.EXE",
        ] {
            assert!(is_ours(command, Some("get-credential")), "{command}");
            assert!(!is_ours(command, Some("login")) && !is_ours(command, None), "{command}");
        }
        for command in [
            "kubectl",
            "kubectl-cce_login2",
            "my-kubectl-cce_login",
            "kubectl-cce_login/x",
            "",
            ".exe",
            "ü.exe",
        ] {
            assert!(!is_ours(command, Some("get-credential")), "{command}");
        }
    }

    #[test]
    fn the_cluster_id_is_found_in_both_notations() {
        assert_eq!(cluster_id(&["get-credential", "--cluster-id=a"]), Some("a"));
        assert_eq!(cluster_id(&["get-credential", "--cluster-id", "b", "--x"]), Some("b"));
        assert_eq!(cluster_id(&["get-credential", "--cluster-id"]), None);
        assert_eq!(cluster_id::<&str>(&[]), None);
    }
}
