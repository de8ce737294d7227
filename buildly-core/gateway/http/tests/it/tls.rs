use std::convert::Infallible;
use std::sync::Arc;

use buildly_gateway_http::Client;
use buildly_model::{Body, CallError};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::world::{ask, call, client_of, get, options, service, snapshot};

/// Serves HTTPS at localhost, answering with the version of HTTP; gives the certificate too.
async fn serve_tls(protocols: &[&str]) -> (String, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let answer = service_fn(|request: Request<Incoming>| async move {
                let seen = format!("{:?} {}", request.version(), request.uri().path());
                Ok::<_, Infallible>(Response::new(Body::from(seen)))
            });
            tokio::spawn(async move {
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    (format!("https://localhost:{port}"), certificate)
}

#[tokio::test]
async fn tls_is_spoken_with_the_http_that_the_service_offers() {
    for (offered, expected) in
        [(&["h2", "http/1.1"][..], "HTTP/2.0 /a"), (&["http/1.1"], "HTTP/1.1 /a"), (&[], "HTTP/1.1 /a")]
    {
        let (url, certificate) = serve_tls(offered).await;
        let service = service(&[url]);
        let mut options = options();
        options.extra_roots.push(certificate);
        let client = Client::new(options).unwrap();
        client.follow(&snapshot(&[&service]).await);
        for _ in 0..2 {
            assert_eq!(ask(&client, &service, get("/a")).await, (200, expected.to_owned()), "{offered:?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_believed() {
    let (url, _) = serve_tls(&["h2"]).await;
    let service = service(&[url]);
    let client = client_of(&[&service]).await;
    let refused = call(&client, &service, get("/")).await;
    assert!(matches!(refused, Err(CallError::Unreachable { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_service_that_never_finishes_its_handshake_is_given_up_in_time() {
    let silent = crate::upstream::serve_silence().await;
    let mut service = service(&[silent.replace("http://", "https://")]);
    service.policy.connect_timeout_ms = 50;
    let client = client_of(&[&service]).await;
    let refused = call(&client, &service, get("/")).await;
    assert!(matches!(refused, Err(CallError::Unreachable { .. })), "{refused:?}");
}
