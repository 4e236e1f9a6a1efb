//! The kubeconfig module from outside: named cases, kubectl as the measure, properties, and what a crash leaves behind.

mod cases;
mod differential;
mod properties;
mod support;
mod writing;
