//! The names that this machine knows without asking anybody: from kubeconfig and profiles, and the words of our own flags.

use crate::cli::words;
use crate::config::Config;
use crate::contexts;
use crate::host::{Directories, Host};
use crate::sanitize::is_harmless;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

/// The names, by what they are the names of.
#[derive(Default)]
pub(super) struct KnownNames {
    contexts: BTreeSet<String>,
    clusters: BTreeSet<String>,
    regions: BTreeSet<String>,
    profiles: BTreeSet<String>,
}

impl KnownNames {
    /// What can be read of the kubeconfig that `words` mean, and of the profiles.
    pub(super) fn new(host: &Host, words: &[OsString]) -> Self {
        let mut known = Self::default();
        if let Ok(config) = Config::load(&Directories::of(&host.env), host.env.inputs()) {
            known
                .regions
                .extend(config.profiles.values().filter_map(|profile| profile.region.clone()));
            known.profiles.extend(config.profiles.into_keys());
        }
        let Ok(kubeconfig) = contexts::load(host, kubeconfig_of(words)) else {
            return known;
        };
        for context in kubeconfig.ours() {
            known.contexts.insert(context.name.to_owned());
            // Ours are called `<cluster>.<project>`.
            let cluster = context.cluster_name.and_then(|name| name.split('.').next());
            known.clusters.extend(cluster.map(str::to_owned));
            let region = context.args.iter().find_map(|arg| arg.strip_prefix("--region="));
            known.regions.extend(region.map(str::to_owned));
        }
        known
    }

    /// Puts the names where they are asked for.
    pub(super) fn attach(&self, command: clap::Command) -> clap::Command {
        let is_of_profiles = command.get_name() == "profile";
        let names: Vec<String> = command
            .get_subcommands()
            .map(|below| below.get_name().to_owned())
            .collect();
        let command = command.mut_args(|arg| match self.of(arg.get_id().as_str()) {
            Some(names) => arg.add(ArgValueCandidates::new(move || {
                names.iter().map(CompletionCandidate::new).collect()
            })),
            None => arg,
        });
        names.into_iter().fold(command, |command, name| {
            command.mut_subcommand(name, |below| {
                let below = self.attach(below);
                let profiles: Vec<String> = self.profiles.iter().cloned().collect();
                if !is_of_profiles || below.get_arguments().all(|arg| arg.get_id() != "name") {
                    return below;
                }
                below.mut_arg("name", |arg| {
                    arg.add(ArgValueCandidates::new(move || {
                        profiles.iter().map(CompletionCandidate::new).collect()
                    }))
                })
            })
        })
    }

    fn of(&self, argument: &str) -> Option<Vec<String>> {
        let set = match argument {
            "context" => &self.contexts,
            "cluster" => &self.clusters,
            "region" => &self.regions,
            "profile" | "base_profile" => &self.profiles,
            _ => {
                let words = words::of_argument(argument)?;
                return Some(words.into_iter().map(str::to_owned).collect());
            }
        };
        // Scripts put names on command lines as they are, and some shells expand what they are offered.
        Some(set.iter().filter(|name| is_harmless(name)).cloned().collect())
    }
}

/// The file of `--kubeconfig`, if it is there already.
fn kubeconfig_of(words: &[OsString]) -> Option<PathBuf> {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let joined = words.iter().find_map(|word| word.strip_prefix("--kubeconfig="));
    let apart = || words.iter().skip_while(|word| **word != "--kubeconfig").nth(1).copied();
    joined.or_else(apart).map(PathBuf::from)
}
