//! Spans of time as an operator writes them: `500ms`, `30s`, `15m`, `1h`, `14d`.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let number: Option<u64> = number.parse().ok();
    let milliseconds =
        UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, milliseconds)| milliseconds);
    number
        .zip(milliseconds)
        .and_then(|(number, milliseconds)| number.checked_mul(*milliseconds))
        .map(Duration::from_millis)
        .ok_or_else(|| "expected a span of time such as `30s`, `15m`, `1h` or `14d`".to_owned())
}

pub(super) fn show(duration: Duration) -> String {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let whole = UNITS.iter().find(|(_, unit)| milliseconds >= *unit && milliseconds % unit == 0);
    whole.map_or_else(|| "0s".to_owned(), |(name, unit)| format!("{}{name}", milliseconds / unit))
}
