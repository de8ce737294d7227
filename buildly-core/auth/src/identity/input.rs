//! Checks what comes in, and names every refused field at once.

use buildly_model::{FieldError, Secret};
use serde_json::Value;

use super::Settings;
use super::sign_in::PASSWORD_LENGTH_MAX;
use crate::Error;

/// The most characters of a name.
const NAME_LENGTH_MAX: usize = 255;
/// The most characters of a user name.
const USERNAME_LENGTH_MAX: usize = 150;
/// The most octets of an address (RFC 5321 section 4.5.3.1.3).
const EMAIL_LENGTH_MAX: usize = 254;
/// The most characters of free text.
const TEXT_LENGTH_MAX: usize = 10_000;
/// The most texts of a list.
const TEXTS_MAX: usize = 100;
/// The most bytes of JSON that is kept as it came.
const VALUE_LENGTH_MAX: usize = 10_000;
/// The sentence for a field that must not be empty.
pub(crate) const REQUIRED: &str = "This field may not be blank.";

/// Refused fields so far.
#[derive(Debug, Default)]
pub(crate) struct Input(Vec<FieldError>);

impl Input {
    pub(crate) fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError::new(field, message));
    }

    /// # Errors
    /// [`Error::Invalid`] with every refused field.
    pub(crate) fn done(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    /// A name that must be there, on one line: names stand in mail.
    pub(crate) fn name(&mut self, field: &str, name: &str) {
        if name.trim().is_empty() {
            self.refuse(field, REQUIRED);
        } else if name.trim().contains(|letter: char| letter.is_control() && letter != '\0') {
            self.refuse(field, "Control characters are not allowed.");
        } else {
            self.length(field, name, NAME_LENGTH_MAX);
        }
    }

    /// Text that may be empty.
    pub(crate) fn text(&mut self, field: &str, text: &str) {
        self.length(field, text, TEXT_LENGTH_MAX);
    }

    /// Letters, digits and `@.+-_`, as existing clients know it; whether it can be one.
    pub(crate) fn username(&mut self, name: &str) -> bool {
        let refused = self.0.len();
        if name.trim().is_empty() {
            self.refuse("username", REQUIRED);
        } else if !name.chars().all(is_username_letter) {
            self.refuse(
                "username",
                "Enter a valid username. It may contain only letters, numbers, and @/./+/-/_ characters.",
            );
        } else {
            self.length("username", name, USERNAME_LENGTH_MAX);
        }
        self.0.len() == refused
    }

    pub(crate) fn email(&mut self, field: &str, email: &str) {
        if !is_email(email) {
            self.refuse(field, "Enter a valid email address.");
        }
    }

    pub(crate) fn password(&mut self, field: &str, password: &Secret, settings: &Settings) {
        let length = password.expose().chars().count();
        if length < settings.password_length_min {
            let least = settings.password_length_min;
            self.refuse(
                field,
                format!("This password is too short. It must contain at least {least} characters."),
            );
        } else if password.expose().len() > PASSWORD_LENGTH_MAX {
            self.refuse(field, format!("Ensure this field has no more than {PASSWORD_LENGTH_MAX} bytes."));
        }
    }

    /// One of a few words.
    pub(crate) fn choice(&mut self, field: &str, word: &str, choices: &[&str]) {
        if !choices.contains(&word) {
            self.refuse(field, format!("\"{word}\" is not a valid choice."));
        }
    }

    /// PostgreSQL's text has none, so no field has.
    pub(crate) fn no_null(&mut self, field: &str, text: &str) {
        if text.contains('\0') {
            self.refuse(field, "Null characters are not allowed.");
        }
    }

    /// A list of short texts.
    pub(crate) fn texts(&mut self, field: &str, texts: &[String]) {
        self.count(field, texts.len(), TEXTS_MAX);
        texts.iter().take(TEXTS_MAX).for_each(|text| self.length(field, text, NAME_LENGTH_MAX));
    }

    /// A list of so many things.
    pub(crate) fn count(&mut self, field: &str, count: usize, count_max: usize) {
        if count > count_max {
            self.refuse(field, format!("Ensure this field has no more than {count_max} elements."));
        }
    }

    /// JSON that is kept as it came.
    pub(crate) fn value(&mut self, field: &str, value: &Value) {
        let text = value.to_string();
        if text.len() > VALUE_LENGTH_MAX {
            self.refuse(field, format!("Ensure this field has no more than {VALUE_LENGTH_MAX} bytes."));
        } else if has_null(value) {
            self.refuse(field, "Null characters are not allowed.");
        }
    }

    fn length(&mut self, field: &str, text: &str, length_max: usize) {
        if text.chars().count() > length_max {
            self.refuse(field, format!("Ensure this field has no more than {length_max} characters."));
        } else {
            self.no_null(field, text);
        }
    }
}

/// The depth is bounded by whoever parsed it.
fn has_null(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_null),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_null(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_username_letter(letter: char) -> bool {
    letter.is_alphanumeric() || "@.+-_".contains(letter)
}

/// A local part, one `@`, a domain; no blanks, no control characters. Whether mail arrives
/// is for a mail to find out.
pub(crate) fn is_email(text: &str) -> bool {
    let is_fine =
        |letter: char| !letter.is_whitespace() && !letter.is_control() && !"<>,;\"()\\".contains(letter);
    let Some((local, domain)) = text.split_once('@') else { return false };
    !local.is_empty()
        && text.len() <= EMAIL_LENGTH_MAX
        && text.chars().all(is_fine)
        && !domain.contains('@')
        && domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
        })
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for (text, expected) in [
            ("ada@example.org", true),
            ("ada.lovelace+test@mail.example.org", true),
            ("ada", false),
            ("@example.org", false),
            ("ada@", false),
            ("ada@localhost", false),
            ("ada@example..org", false),
            ("ada@b@example.org", false),
            ("ada lovelace@example.org", false),
            ("ada@example.org\r\nBcc: all@example.org", false),
            ("Ada <ada@example.org>", false),
        ] {
            assert_eq!(is_email(text), expected, "{text:?}");
        }
    }
}
