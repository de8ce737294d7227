//! How long this machine's disk takes to make a write durable: the floor of every durable figure.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::Failure;
use crate::report::Figure;

/// Appends 4 KiB and syncs the data, again and again.
///
/// # Errors
/// If the folder cannot be written.
pub fn sync_latency(folder: &Path) -> Result<Figure, Failure> {
    const TIMES: u32 = 300;
    let path = folder.join("sync");
    let mut file = File::create(&path)?;
    let (began, mut took) = (Instant::now(), Vec::new());
    for _ in 0..TIMES {
        let one = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        took.push(one.elapsed().as_secs_f64() * 1e3);
    }
    std::fs::remove_file(path)?;
    Ok(Figure::of(took, 0, began.elapsed().as_secs_f64()))
}
