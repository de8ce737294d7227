//! Which addresses belong to the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the public internet (IANA's special-purpose registries,
/// RFC 6890), also where IPv6 only wraps an IPv4 address.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    !(first == 0
        || first >= 240
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        // Between carriers and customers (RFC 6598), protocols (RFC 6890), measurements (RFC 2544).
        || (first == 100 && (64..128).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (18..20).contains(&second)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (s0, s1) {
        // Mapped (RFC 4291), translated (RFC 6052) and 6to4 (RFC 3056) addresses wrap one of IPv4.
        (0, 0) if s2 == 0 && s3 == 0 && s4 == 0 && s5 == 0xffff => v4(s6, s7),
        (0x64, 0xff9b) if s2 == 0 && s3 == 0 && s4 == 0 && s5 == 0 => v4(s6, s7),
        (0x2002, _) => v4(s1, s2),
        // Documentation (RFC 3849) and Teredo, which hides an address (RFC 4380).
        (0x2001, 0xdb8 | 0) => false,
        // Global unicast is all there is (RFC 4291): no loopback, no local and no multicast address.
        _ => s0 & 0xe000 == 0x2000,
    }
}

/// Whether only this machine or a private network resolves a name.
pub(super) fn is_private_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let below = [".localhost", ".local", ".internal", ".home.arpa"];
    !name.contains('.') || below.iter().any(|suffix| name.ends_with(suffix))
}
