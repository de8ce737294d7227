//! What the fuzzer asks of the reader of forwarding headers: any bytes, and that what we
//! write reads back as what we believed.

use std::net::{Ipv4Addr, SocketAddr};

use http::{HeaderMap, HeaderValue};

use super::{Field, Network, Peer, Trust};

/// Reads `bytes`, a header's value a line, as both kinds of header, writes what was believed,
/// and reads that.
///
/// # Panics
/// If what is written reads otherwise.
pub fn check_forwarded(bytes: &[u8]) {
    let peer = Peer { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)), is_secure: false };
    for field in [Field::Forwarded, Field::XForwarded] {
        let mut headers = HeaderMap::new();
        for (number, value) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let name = match (field, number % 3) {
                (Field::Forwarded, _) => super::FORWARDED,
                (Field::XForwarded, 0) => super::FOR,
                (Field::XForwarded, 1) => super::PROTO,
                (Field::XForwarded, _) => super::HOST,
            };
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append(name, value);
            }
        }
        let told = everybody(field).client(&peer, &headers);
        told.write(&mut headers);
        for field in [Field::Forwarded, Field::XForwarded] {
            assert_eq!(everybody(field).client(&peer, &headers), told, "{headers:?}");
        }
    }
}

fn everybody(field: Field) -> Trust {
    let networks = ["0.0.0.0/0", "::/0"].iter().filter_map(|text| text.parse::<Network>().ok());
    Trust { proxies: networks.collect(), field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corpus_of_the_fuzzer_holds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/forwarded");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 10, "{} files", files.len());
        for file in files {
            check_forwarded(&std::fs::read(&file).unwrap());
        }
    }
}
