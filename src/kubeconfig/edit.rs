//! An edit is a splice: the tree says at which byte every node lies, and only the ranges that are ours are replaced.

pub(crate) mod arguments;
pub(crate) mod document;
pub(crate) mod flow;
pub(crate) mod kind;
pub(crate) mod node;
pub(crate) mod operation;
pub(crate) mod position;
pub(crate) mod splice;
pub(crate) mod yaml_writer;
