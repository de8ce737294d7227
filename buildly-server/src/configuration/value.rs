//! Kinds of values: how each is read from text and shown.

use std::path::PathBuf;
use std::time::Duration;

use buildly_core::auth::token::Algorithm;
use buildly_core::gateway::traffic::cors::OriginPattern;
use buildly_core::gateway::traffic::forwarded::Network;
use buildly_model::{FieldError, Secret};

use super::duration;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Whether and when a connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailEncryption {
    /// It begins in the clear and must then be encrypted (RFC 3207).
    StartTls,
    /// It is encrypted from the first byte (RFC 8314).
    Tls,
    /// Never; only for a mail server on this machine.
    None,
}

/// Proxies that are believed about the client's address, as written and as understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<(String, Network)>);

impl TrustedProxies {
    /// As understood.
    #[must_use]
    pub fn networks(&self) -> Vec<Network> {
        self.0.iter().map(|(_, network)| *network).collect()
    }
}

impl Value for TrustedProxies {
    fn parse(text: &str) -> Result<Self, String> {
        let parse = |text: &str| match text.parse() {
            Ok(network) => Ok((text.to_owned(), network)),
            Err(FieldError { message, .. }) => Err(message),
        };
        items(text).map(parse).collect::<Result<_, _>>().map(Self)
    }

    fn show(&self) -> String {
        self.0.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(",")
    }
}

/// The items of a list that is written with commas.
fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// A kind of value.
pub(super) trait Value: Sized {
    fn parse(text: &str) -> Result<Self, String>;
    fn show(&self) -> String;

    /// Whether the value must not be shown, not even in an error.
    const IS_SECRET: bool = false;
}

impl Value for String {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Value for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        String::parse(text).map(Self::from)
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Value for http::Uri {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error| format!("expected an address such as https://…: {error}"))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for Secret {
    const IS_SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        String::parse(text).map(Self::new)
    }

    fn show(&self) -> String {
        "[hidden]".to_owned()
    }
}

impl Value for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("expected `true` or `false`".to_owned()),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Value for $number {
            fn parse(text: &str) -> Result<Self, String> {
                let digits = text.replace('_', "");
                digits.parse().map_err(|_| format!("expected a whole number of at most {}", Self::MAX))
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

numbers! { u16 u32 u64 usize }

impl Value for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        duration::parse(text)
    }

    fn show(&self) -> String {
        duration::show(*self)
    }
}

impl Value for Vec<OriginPattern> {
    fn parse(text: &str) -> Result<Self, String> {
        items(text).map(|origin| origin.parse().map_err(|error: FieldError| error.message)).collect()
    }

    fn show(&self) -> String {
        let shown = self.iter().map(|origin| match origin {
            OriginPattern::Any => "*".to_owned(),
            OriginPattern::Localhost => "localhost".to_owned(),
            OriginPattern::Exact(origin) => origin.clone(),
            OriginPattern::AnyPort(origin) => format!("{origin}:*"),
        });
        shown.collect::<Vec<_>>().join(",")
    }
}

/// Values with names: one list for reading, showing and the error.
macro_rules! named {
    ($type:ty: $($name:literal = $value:path),*) => {
        impl Value for $type {
            fn parse(text: &str) -> Result<Self, String> {
                match text.to_ascii_lowercase() {
                    $(name if name == $name.to_ascii_lowercase() => Ok($value),)*
                    _ => Err(format!("expected one of {}", [$($name),*].join(", "))),
                }
            }

            fn show(&self) -> String {
                match self { $($value => $name),* }.to_owned()
            }
        }
    };
}

named! { LogFormat: "pretty" = LogFormat::Pretty, "json" = LogFormat::Json }
named! { MailEncryption: "starttls" = MailEncryption::StartTls, "tls" = MailEncryption::Tls, "none" = MailEncryption::None }
named! { Algorithm: "RS256" = Algorithm::Rs256, "ES256" = Algorithm::Es256, "EdDSA" = Algorithm::EdDsa }
