//! TLS: both versions of HTTP, and new certificates without a restart.

use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::harness::TestServer;

/// Writes a new certificate for localhost; its own bytes.
fn write_certificate(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("certificate.pem"), cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    CertificateDer::from_pem_slice(cert.pem().as_bytes()).unwrap()
}

async fn connect(
    server: &TestServer,
    trusted: &CertificateDer<'static>,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut configuration = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    configuration.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(server.running().address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(configuration)).connect(name, stream).await
}

async fn get_livez(mut stream: TlsStream<TcpStream>) -> String {
    let request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut text = String::new();
    let _closed_without_a_notice = stream.read_to_string(&mut text).await;
    text
}

#[tokio::test]
async fn new_certificates_are_used_without_a_restart() {
    let folder = std::env::temp_dir().join(format!("buildly-tls-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir(&folder).unwrap();
    let first = write_certificate(&folder);
    let server = TestServer::start_with(|configuration| {
        configuration.tls.certificate = Some(folder.join("certificate.pem"));
        configuration.tls.key = Some(folder.join("key.pem"));
    })
    .await;
    assert!(server.running().url().starts_with("https://"));
    let stream = connect(&server, &first, b"http/1.1").await.unwrap();
    assert!(get_livez(stream).await.starts_with("HTTP/1.1 200"));
    let stream = connect(&server, &first, b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));

    let second = write_certificate(&folder);
    server.running().reload();
    assert!(connect(&server, &first, b"h2").await.is_err(), "the old certificate is gone");
    assert!(
        get_livez(connect(&server, &second, b"http/1.1").await.unwrap()).await.starts_with("HTTP/1.1 200")
    );

    std::fs::write(folder.join("certificate.pem"), "not a certificate").unwrap();
    server.running().reload();
    connect(&server, &second, b"h2").await.expect("files that cannot be used change nothing");
    server.stop().await;
    std::fs::remove_dir_all(&folder).unwrap();
}
