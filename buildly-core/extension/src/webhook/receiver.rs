//! What an administrator may say of a webhook.

use buildly_model::FieldError;
use http::Uri;
use http::uri::Scheme;

use super::Post;

/// The most webhooks of an organization.
pub const WEBHOOKS_MAX: usize = 50;
/// The most kinds that a webhook names.
pub const KINDS_MAX: usize = 50;
const KIND_BYTES_MAX: usize = 128;
const URL_BYTES_MAX: usize = 2048;
const DESCRIPTION_BYTES_MAX: usize = 1000;

/// Reads an address to send to.
pub(super) fn read_url(text: &str, post: &dyn Post) -> Result<Uri, FieldError> {
    let refused = |reason: String| FieldError::new("url", reason);
    let text = text.trim();
    if text.len() > URL_BYTES_MAX {
        return Err(refused(format!("Enter a URL of at most {URL_BYTES_MAX} bytes.")));
    }
    let url: Uri = text.parse().map_err(|_| refused("Enter a valid URL.".to_owned()))?;
    let is_http = url.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
    if !is_http || url.host().is_none_or(str::is_empty) {
        return Err(refused("Enter a URL that begins with https:// and has a host.".to_owned()));
    }
    if text.contains('#') || url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(refused("Enter a URL without user, password and fragment.".to_owned()));
    }
    match post.refusal(&url) {
        Some(reason) => Err(refused(reason)),
        None => Ok(url),
    }
}

/// Every refused field but the address.
pub(super) fn check(description: &str, kinds: &[String]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if description.len() > DESCRIPTION_BYTES_MAX {
        errors.push(FieldError::new("description", format!("Enter at most {DESCRIPTION_BYTES_MAX} bytes.")));
    }
    if description.contains('\0') {
        errors.push(FieldError::new("description", "Enter a text without null characters."));
    }
    if kinds.len() > KINDS_MAX {
        errors.push(FieldError::new("kinds", format!("Name at most {KINDS_MAX} kinds.")));
    }
    if let Some(wrong) = kinds.iter().find(|kind| !is_kind(kind)) {
        let reason = format!(
            "`{}` is no kind of event, such as `auth.group.updated`, nor a beginning of one, such as `auth`.",
            wrong.chars().take(40).collect::<String>()
        );
        errors.push(FieldError::new("kinds", reason));
    }
    errors
}

fn is_kind(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    text.len() <= KIND_BYTES_MAX && text.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::webhook::Message;

    struct Anywhere;

    #[async_trait]
    impl Post for Anywhere {
        fn refusal(&self, url: &Uri) -> Option<String> {
            (url.host() == Some("refused.example")).then(|| "No.".to_owned())
        }

        async fn post(&self, _: Message) -> Result<u16, String> {
            Ok(204)
        }
    }

    #[test]
    fn an_address_is_http_with_a_host_and_without_a_password() {
        for right in ["https://example.org", "http://example.org:8080/hook?key=1", " https://example.org/a "]
        {
            assert!(read_url(right, &Anywhere).is_ok(), "{right}");
        }
        let long = format!("https://example.org/{}", "a".repeat(URL_BYTES_MAX));
        for wrong in [
            "",
            "/hook",
            "example.org",
            "ftp://example.org/",
            "https://",
            "https://ada:secret@example.org/",
            "https://example.org/#part",
            "https://exa mple.org/",
            "https://refused.example/",
            &long,
        ] {
            let refused = read_url(wrong, &Anywhere).expect_err(wrong);
            assert_eq!(refused.field, "url");
        }
    }

    #[test]
    fn kinds_are_words_with_full_stops_between() {
        let fields = |description: &str, kinds: &[&str]| -> Vec<String> {
            let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
            check(description, &kinds).into_iter().map(|error| error.field).collect()
        };
        assert!(fields("", &["auth", "auth.group.updated", "my-app.order_paid"]).is_empty());
        for wrong in ["", ".", "auth.", ".auth", "auth..user", "auth.*", "a b", "ä", &"a".repeat(129)] {
            assert_eq!(fields("", &[wrong]), ["kinds"], "{wrong}");
        }
        assert_eq!(fields("", &["a"; KINDS_MAX + 1]), ["kinds"]);
        assert_eq!(fields(&"a".repeat(1001), &["*"]), ["description", "kinds"]);
    }
}
