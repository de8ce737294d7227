//! What is printed.

/// How many of something were done, and how long each took.
#[derive(Debug, Clone, Default)]
pub struct Figure {
    /// A second.
    pub rate: f64,
    /// The middle one, in milliseconds.
    pub p50_ms: f64,
    /// That of which one in a hundred took longer, in milliseconds.
    pub p99_ms: f64,
    /// How many were wrong or failed.
    pub bad: u64,
    /// The time on a core that one took the measured program, in microseconds, where it is known.
    pub cpu_us: Option<f64>,
}

impl Figure {
    /// From how long each took, and how long it all took.
    #[must_use]
    pub fn of(mut took_ms: Vec<f64>, bad: u64, seconds: f64) -> Self {
        took_ms.sort_by(f64::total_cmp);
        let at =
            |share: usize| took_ms.get(took_ms.len().saturating_mul(share) / 100).copied().unwrap_or(0.0);
        #[expect(clippy::cast_precision_loss, reason = "no figure is that exact")]
        let rate = took_ms.len() as f64 / seconds;
        Self { rate, p50_ms: at(50), p99_ms: at(99), bad, cpu_us: None }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rate, p50_ms, p99_ms, bad, cpu_us } = self;
        write!(formatter, "{rate:.1}/s (p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms")?;
        if let Some(cpu_us) = cpu_us {
            write!(formatter, ", {cpu_us:.1} µs of a core each")?;
        }
        write!(formatter, ", {bad} bad)")
    }
}

/// What a ratio should be.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Target {
    /// The target, and whether it is met.
    #[must_use]
    pub fn judge(self, value: f64) -> String {
        let (word, limit, is_met) = match self {
            Self::AtLeast(limit) => ("at least", limit, value >= limit),
            Self::AtMost(limit) => ("at most", limit, value <= limit),
        };
        format!("{word} {limit}: {}", if is_met { "met" } else { "MISSED" })
    }
}

/// The lines that a bench ends with.
#[derive(Debug, Default)]
pub struct Report(Vec<String>);

impl Report {
    /// Two figures of any kind; a ratio above 1 is good for ours.
    pub fn compared(
        &mut self,
        name: &str,
        ours: impl std::fmt::Display,
        peer: &str,
        theirs: impl std::fmt::Display,
        ratio: f64,
        target: Option<Target>,
    ) {
        let target = target.map(|target| format!(" ({})", target.judge(ratio))).unwrap_or_default();
        self.line(format!("{name} | {ours} | {peer}: {theirs} | {ratio:.2}{target}"));
    }

    /// A peer that could not be measured.
    pub fn left_out(&mut self, name: &str, why: &crate::Failure) {
        self.line(format!("{name} | - | LEFT OUT: {why} | -"));
    }

    /// A figure beside that of a peer.
    pub fn beside(&mut self, name: &str, ours: &Figure, peer: &str, theirs: &Figure) {
        let ratio = if theirs.rate > 0.0 { ours.rate / theirs.rate } else { f64::NAN };
        self.compared(name, ours, peer, theirs, ratio, None);
    }

    /// A figure that no peer has.
    pub fn alone(&mut self, name: &str, ours: &str) {
        self.line(format!("{name} | {ours} | - | -"));
    }

    /// Shown at once, and again at the end.
    fn line(&mut self, line: String) {
        println!("{line}");
        self.0.push(line);
    }

    /// Prints all lines again.
    pub fn end(&self) {
        println!("\nname | ours | peer and version | ratio");
        self.0.iter().for_each(|line| println!("{line}"));
    }
}
