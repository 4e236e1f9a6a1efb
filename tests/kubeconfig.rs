//! The kubeconfig module from outside: named cases, kubectl as the measure, properties, and what a crash leaves behind.

#[cfg(test)]
#[path = "kubeconfig/support.rs"]
mod support;

#[cfg(test)]
#[path = "kubeconfig/cases.rs"]
mod cases;

#[cfg(test)]
#[path = "kubeconfig/differential.rs"]
mod differential;

#[cfg(test)]
#[path = "kubeconfig/properties.rs"]
mod properties;

#[cfg(test)]
#[path = "kubeconfig/writing.rs"]
mod writing;
