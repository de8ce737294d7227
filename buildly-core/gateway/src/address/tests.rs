use super::*;

#[test]
fn an_address_is_classed_by_how_it_is_written() {
    use AddressClass::{Loopback, Private, Public};
    for (url, expected) in [
        ("http://127.0.0.1:8001", Loopback),
        ("http://127.9.9.9", Loopback),
        ("http://localhost:8001", Loopback),
        ("http://crm.localhost", Loopback),
        ("http://[::1]:8001", Loopback),
        ("http://[::ffff:127.0.0.1]:8001", Loopback),
        ("http://10.1.2.3", Private),
        ("http://172.16.0.1", Private),
        ("http://192.168.4.4", Private),
        ("http://[fd12::1]", Private),
        ("http://crm:8000", Private),
        ("http://crm_service:8000", Private),
        ("http://crm.internal", Private),
        ("http://crm.default.svc.cluster.local", Private),
        ("http://172.32.0.1", Public),
        ("http://169.254.169.254", Public),
        ("http://0.0.0.0", Public),
        ("http://2130706433", Public),
        ("http://0x7f000001", Public),
        ("http://[2001:db8::1]", Public),
        ("https://example.org", Public),
        ("https://10.example.org", Public),
        ("https://localhost.example.org", Public),
    ] {
        assert_eq!(BaseUrl::parse(url).unwrap().address_class(), expected, "{url}");
    }
}

#[test]
fn what_is_no_base_url_is_refused() {
    for text in [
        "",
        "products",
        "/products",
        "products:8000/x",
        "ftp://host",
        "file:///etc/passwd",
        "http://",
        "http://user:secret@host",
        "http://host?x=1",
        "http://host/#x",
        "http://host/../x",
        "http://host:99999",
        "http://host:0",
        "http://ho st",
        "javascript:alert(1)",
    ] {
        assert!(BaseUrl::parse(text).is_err(), "{text} was taken");
    }
}

#[test]
fn a_default_port_is_the_same_origin_as_none() {
    let parse = |text| BaseUrl::parse(text).unwrap();
    assert!(parse("http://Host").has_origin_of(&parse("http://host:80/x")));
    assert!(!parse("http://host").has_origin_of(&parse("https://host")));
    assert!(!parse("http://host:1").has_origin_of(&parse("http://host:2")));
}
