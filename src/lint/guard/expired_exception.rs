//! Exceptions that have ended.

use crate::model::rules::Exception;
use manifest::diagnostic::Diagnostic;

manifest::code! {
    "guard"/"expired-exception", Error, "An exception from the rules has ended.",
    r#"
Every exception in `[rules]` has a last day, `until`, and that of this one has passed. What the exception is for is
not reported any more by itself, only the exception is. Fix what it was for and remove it, or decide again and move
the date. The date of today is that of the machine, or of `SOURCE_DATE_EPOCH` where that is set.

## Wrong

```toml
[[rules.exceptions]]
host = "old.example.com"
reason = "moves to the new login in spring"
until = "2020-05-31"
```

## Right

```toml
[[rules.exceptions]]
host = "old.example.com"
reason = "moves to the new login in spring"
until = "2030-05-31"
```
"#
}

/// Reports an exception that ended before `today`.
pub(crate) fn report(exception: &Exception, today: &str) -> Diagnostic {
    let message = format!(
        "an exception ended on {}, and today is {today}",
        exception.until
    );
    Diagnostic::new(CODE, message)
        .at(exception.span)
        .why(format!("its reason was: {}", exception.reason))
        .help("fix what it was for and remove it, or decide again and move the date")
}
