//! The committed header is the one that the sources make.

use std::path::Path;

#[test]
fn the_header_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("the configuration is read");
    let made = cbindgen::Builder::new().with_crate(root).with_config(config).generate();
    let mut made_text = Vec::new();
    made.expect("the sources are read").write(&mut made_text);
    let path = root.join("include/buildly.h");
    if std::env::var_os("BUILDLY_HEADER").is_some_and(|what| what == "write") {
        std::fs::write(&path, &made_text).expect("the header is written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed.as_bytes() == made_text,
        "include/buildly.h is not what src/ says: run `BUILDLY_HEADER=write cargo test -p buildly-c header`"
    );
}
