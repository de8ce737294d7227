use proptest::prelude::*;

use super::*;

fn trust(field: Field) -> Trust {
    Trust { proxies: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()], field }
}

fn peer(address: &str) -> Peer {
    Peer { address: SocketAddr::new(address.parse().unwrap(), 1234), is_secure: false }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

#[test]
fn only_what_a_trusted_proxy_says_in_its_field_is_believed() {
    let (x, standard) = (Field::XForwarded, Field::Forwarded);
    for (case, field, from, pairs, expected) in [
        ("nobody says anything", x, "192.0.2.1", &[][..], "192.0.2.1"),
        ("a stranger lies", x, "192.0.2.1", &[("x-forwarded-for", "1.1.1.1")], "192.0.2.1"),
        ("a proxy tells", x, "10.0.0.1", &[("x-forwarded-for", "192.0.2.7")], "192.0.2.7"),
        (
            "the client lied to the proxy",
            x,
            "10.0.0.1",
            &[("x-forwarded-for", "1.1.1.1, 192.0.2.7")],
            "192.0.2.7",
        ),
        ("two proxies", x, "10.0.0.1", &[("x-forwarded-for", "1.1.1.1, 192.0.2.7, 10.9.9.9")], "192.0.2.7"),
        (
            "two lines",
            x,
            "10.0.0.1",
            &[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "10.9.9.9")],
            "192.0.2.7",
        ),
        ("with a port", x, "10.0.0.1", &[("x-forwarded-for", "192.0.2.7:99")], "192.0.2.7"),
        ("garbage", x, "10.0.0.1", &[("x-forwarded-for", "192.0.2.7, unknown")], "10.0.0.1"),
        ("the other field", x, "10.0.0.1", &[("forwarded", "for=1.1.1.1")], "10.0.0.1"),
        ("the other field too", standard, "10.0.0.1", &[("x-forwarded-for", "1.1.1.1")], "10.0.0.1"),
        ("standard", standard, "fd00::1", &[("forwarded", "for=192.0.2.7;proto=https")], "192.0.2.7"),
        ("standard, IPv6", standard, "10.0.0.1", &[("forwarded", "For=\"[2001:db8::1]:47\"")], "2001:db8::1"),
        (
            "standard, quoted comma",
            standard,
            "10.0.0.1",
            &[("forwarded", "for=\"1.1.1.1,\";by=x")],
            "10.0.0.1",
        ),
        ("mapped peer", x, "::ffff:10.0.0.1", &[("x-forwarded-for", "192.0.2.7")], "192.0.2.7"),
    ] {
        let client = trust(field).client(&peer(from), &headers(pairs));
        assert_eq!(client.address, expected.parse::<IpAddr>().unwrap(), "{case}");
    }
}

#[test]
fn a_trusted_proxy_tells_scheme_and_host() {
    let asked = headers(&[
        ("host", "inner:8080"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "api.example.org"),
    ]);
    let client = trust(Field::XForwarded).client(&peer("10.0.0.1"), &asked);
    assert!(client.is_secure);
    assert_eq!(client.host.unwrap(), "api.example.org");
    let stranger = trust(Field::XForwarded).client(&peer("192.0.2.1"), &asked);
    assert!(!stranger.is_secure);
    assert_eq!(stranger.host.unwrap(), "inner:8080");
}

#[test]
fn services_are_told_anew_and_nothing_else_is_left() {
    let mut asked = headers(&[
        ("host", "api.example.org:8080"),
        ("x-forwarded-for", "1.1.1.1"),
        ("x-real-ip", "1.1.1.1"),
        ("forwarded", "for=1.1.1.1"),
        ("x-forwarded-prefix", "/admin"),
        ("accept", "*/*"),
    ]);
    trust(Field::XForwarded).client(&peer("2001:db8::5"), &asked).write(&mut asked);
    let expected = headers(&[
        ("host", "api.example.org:8080"),
        ("accept", "*/*"),
        ("x-forwarded-for", "2001:db8::5"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "api.example.org:8080"),
        ("forwarded", "for=\"[2001:db8::5]\";proto=http;host=\"api.example.org:8080\""),
    ]);
    assert_eq!(asked, expected);
}

#[test]
fn networks_are_read_and_compared_by_their_bits() {
    for (network, address, expected) in [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
        ("0.0.0.0/0", "8.8.8.8", true),
        ("::/0", "2001:db8::1", true),
        ("::/0", "8.8.8.8", false),
        ("fe80::/10", "febf::1", true),
    ] {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(address.parse().unwrap()), expected, "{network:?} {address}");
    }
    for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "a.example", "10.0.0.0/-1"] {
        assert!(text.parse::<Network>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn a_stranger_is_always_seen_at_its_own_address(value in "[ -~]{0,60}", other in "[ -~]{0,60}") {
        let asked = headers(&[("x-forwarded-for", &value), ("forwarded", &other)]);
        for field in [Field::XForwarded, Field::Forwarded] {
            let client = trust(field).client(&peer("192.0.2.1"), &asked);
            prop_assert_eq!(client.address, "192.0.2.1".parse::<IpAddr>().unwrap());
        }
    }

    #[test]
    fn what_is_written_can_be_read_back(address in any::<[u8; 16]>(), is_v4: bool, is_secure: bool) {
        let [a, b, c, d, ..] = address;
        let address = if is_v4 { IpAddr::from([a, b, c, d]) } else { IpAddr::from(address) }.to_canonical();
        let client = Client { address, is_secure, host: Some("a.example:1".parse().unwrap()) };
        let mut written = HeaderMap::new();
        client.write(&mut written);
        for field in [Field::XForwarded, Field::Forwarded] {
            let read = trust(field).client(&peer("10.0.0.1"), &written);
            prop_assert_eq!(&read, &client);
        }
    }
}
