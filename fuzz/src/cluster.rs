//! `cluster.toml`, compiled whole; and the other file that says which cluster it is, the kubeconfig.

use gatewayctl::cluster::connect;
use gatewayctl::compile::compile as compile_whole;

use super::files::{CATALOGUE, OneFile};
use super::report;

/// The whole way: read, rendered, read back, checked. The same text gives the same files and the same findings.
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

/// A secret that no message may quote.
const TOKEN: &str = "s3cret-token";

/// A kubeconfig's text: it is read and has its context, or it is refused with words that tell no secret of it.
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
