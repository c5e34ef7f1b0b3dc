//! Compiles a `cluster.toml`, and parses a kubeconfig.

use gatewayctl::cluster::connect;
use gatewayctl::compile::compile as compile_whole;

use super::files::{CATALOGUE, OneFile};
use super::report;

/// Compiles the input completely: it is read, rendered, read again and checked. The same text must give the same files
/// and findings.
pub fn compile(text: &str) {
    let nothing = OneFile { path: "", text: "" };
    let compiled = compile_whole("cluster.toml", text, &nothing, &CATALOGUE);
    let again = compile_whole("cluster.toml", text, &nothing, &CATALOGUE);
    assert_eq!(compiled.diagnostics, again.diagnostics);
    let texts = |files: &[gatewayctl::render::File]| -> Vec<(String, String)> {
        let files = files.iter();
        files
            .map(|file| (file.path.clone(), file.text.clone()))
            .collect()
    };
    assert_eq!(texts(&compiled.files), texts(&again.files));
    report::tell(compiled.diagnostics, &compiled.sources);
}

/// A secret in the seeds, which must not be in any error message.
const TOKEN: &str = "s3cret-token";

/// Parses a kubeconfig. Either it has the selected context, or it is refused with a message that contains no secret.
pub fn kubeconfig(text: &str) {
    match connect::parse("kubeconfig", text, None) {
        Ok((kubeconfig, context)) => {
            assert!(kubeconfig.contexts.iter().any(|it| it.name == context));
        }
        Err(error) => {
            let said = format!("{error} {error:?}");
            assert!(!said.contains(TOKEN), "{said}");
        }
    }
}
