//! Finds Flux variables in a text.

use manifest::value::variable;

/// Calls each function with the text. Their results must agree.
pub fn find(text: &str) {
    let all: Vec<_> = variable::all(text).collect();
    for variable in &all {
        assert!(text[variable.at..].starts_with("${"));
        let name = text[variable.at..].trim_start_matches(['$', '{', '#']);
        assert!(name.starts_with(variable.name));
    }
    let is_in = variable::in_text(text);
    let replaced = variable::replaced(text, "x");
    if is_in {
        assert!(!all.is_empty(), "a variable that nothing lists");
        assert_ne!(replaced, text);
    }
    if variable::is_all(text) {
        assert!(is_in);
        assert_eq!(variable::end(text), Some(text.len()));
        assert_eq!(replaced, "x");
    }
}
