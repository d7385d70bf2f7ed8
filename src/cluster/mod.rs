//! The cluster's answers, by kube: how a context is opened, objects are listed and followed, and patches are sent.
//! Types of Kubernetes end here; what leaves is in domain words.

pub mod convert;
mod crd;
mod shape;
