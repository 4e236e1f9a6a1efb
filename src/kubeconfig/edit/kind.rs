//! The kinds of entries that a kubeconfig has, and the keys under which they stand.

use std::fmt;

/// The three lists of a kubeconfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `clusters`
    Cluster,
    /// `contexts`
    Context,
    /// `users`
    User,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Cluster, Self::Context, Self::User];

    /// The key of the list.
    pub(crate) fn list_key(self) -> &'static str {
        match self {
            Self::Cluster => "clusters",
            Self::Context => "contexts",
            Self::User => "users",
        }
    }

    /// The key of an item's contents.
    pub(crate) fn body_key(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Context => "context",
            Self::User => "user",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.body_key())
    }
}
