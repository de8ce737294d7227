use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

#[test]
fn only_addresses_of_the_public_internet_are_public() {
    for (text, expected) in [
        ("8.8.8.8", true),
        ("93.184.216.34", true),
        ("100.63.0.1", true),
        ("172.15.0.1", true),
        ("198.20.0.1", true),
        ("2606:4700::1111", true),
        ("::ffff:8.8.8.8", true),
        ("64:ff9b::808:808", true),
        ("2002:808:808::1", true),
        ("0.0.0.0", false),
        ("127.0.0.1", false),
        ("127.9.9.9", false),
        ("10.1.2.3", false),
        ("172.16.0.1", false),
        ("192.168.4.4", false),
        ("169.254.169.254", false),
        ("100.64.0.1", false),
        ("192.0.0.8", false),
        ("192.0.2.1", false),
        ("198.18.0.1", false),
        ("224.0.0.1", false),
        ("240.0.0.1", false),
        ("255.255.255.255", false),
        ("::", false),
        ("::1", false),
        ("::127.0.0.1", false),
        ("::ffff:127.0.0.1", false),
        ("::ffff:169.254.169.254", false),
        ("64:ff9b::7f00:1", false),
        ("64:ff9b:1::1", false),
        ("2002:7f00:1::1", false),
        ("2001:db8::1", false),
        ("2001::1", false),
        ("fe80::1", false),
        ("fec0::1", false),
        ("fd12::1", false),
        ("ff02::1", false),
    ] {
        assert_eq!(public::is_public(text.parse().unwrap()), expected, "{text}");
    }
}

#[test]
fn an_address_that_is_near_or_open_is_refused_before_anything_is_sent() {
    let (strict, lenient) = (Outbound::new(false).unwrap(), Outbound::new(true).unwrap());
    for (text, is_allowed) in [
        ("https://example.org/hook", true),
        ("https://8.8.8.8/", true),
        ("http://example.org/hook", false),
        ("https://localhost/", false),
        ("https://hooks.localhost/", false),
        ("https://crm/", false),
        ("https://crm.internal./", false),
        ("https://127.0.0.1:8443/", false),
        ("https://[::1]/", false),
        ("https://[::ffff:10.0.0.1]/", false),
        ("https://2130706433/", false),
    ] {
        let url: Uri = text.parse().unwrap();
        assert_eq!(strict.refusal(&url).is_none(), is_allowed, "{text}");
        assert_eq!(lenient.refusal(&url), None, "{text}");
    }
}

/// Two spellings of 127.0.0.1 that are no address for us, but one for the resolver.
#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_refused_when_it_is_looked_up() {
    let mut names = Names { private_is_allowed: false };
    for name in ["localhost", "127.1", "0x7f.0.0.1"] {
        let found = names.call(name.parse().unwrap()).await;
        assert!(found.is_err(), "{name}: {found:?}");
    }
    let mut names = Names { private_is_allowed: true };
    assert!(names.call("localhost".parse().unwrap()).await.unwrap().len() > 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"{}") {
            let mut chunk = [0; 1024];
            let length = connection.read(&mut chunk).await.unwrap();
            request.extend_from_slice(&chunk[..length]);
        }
        let answer =
            format!("HTTP/1.1 307 Moved\r\nlocation: http://{address}/\r\ncontent-length: 0\r\n\r\n");
        connection.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    let request = Request::post(format!("http://{address}/hook?key=1")).body(Bytes::from("{}")).unwrap();
    let outbound = Outbound::new(true).unwrap();
    assert_eq!(outbound.send(request).await, Ok(StatusCode::TEMPORARY_REDIRECT));
    assert!(served.await.unwrap().starts_with("POST /hook?key=1 HTTP/1.1\r\n"));
    let request = Request::post("http://127.0.0.1:1/").body(Bytes::new()).unwrap();
    assert!(Outbound::new(true).unwrap().send(request).await.is_err(), "nobody listens there");
}
