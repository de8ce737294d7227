//! Reading a password from standard input.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use buildly_model::Secret;

use super::Failure;

/// Longer lines are no passwords.
const BYTES_MAX: u64 = 4096;

/// Reads one line; its line break is no part of the password. On a terminal it asks first;
/// what is typed there can be seen.
pub(super) fn read() -> Result<Secret, Failure> {
    if io::stdin().is_terminal() {
        let mut terminal = io::stderr();
        terminal
            .write_all(b"Password: ")
            .and_then(|()| terminal.flush())
            .map_err(|error| error.to_string())?;
    }
    let mut line = String::new();
    let mut input = io::Read::take(io::stdin().lock(), BYTES_MAX);
    input.read_line(&mut line).map_err(|error| format!("no password can be read: {error}"))?;
    let password =
        line.strip_suffix('\n').map_or(line.as_str(), |rest| rest.strip_suffix('\r').unwrap_or(rest));
    if password.is_empty() {
        return Err(
            "write the password to standard input, such as `… --password-stdin < password.txt`".to_owned()
        );
    }
    Ok(Secret::new(password))
}
