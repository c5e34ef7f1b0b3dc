//! `metadata` as the API server checks it on creation (apimachinery's `api/validation`, Kubernetes 1.34):
//! names, labels, annotations, owners, finalizers. A namespaced object without a namespace is left alone: Flux
//! and kubectl fill it in.
