//! Servers that stand for services, and one that stands for ours.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use buildly_gateway::Service;
use buildly_gateway::traffic::forwarded::Peer;
use buildly_gateway_http::Client;
use buildly_model::{Body, BodyError};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::world::call;

/// Serves HTTP/1.1 and gives the base URL.
pub(crate) async fn serve<F, Answer>(answer: F) -> String
where
    F: Fn(Request<Incoming>) -> Answer + Clone + Send + Sync + 'static,
    Answer: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(Peer { address: peer, is_secure: false });
                let answered = answer(request);
                async { Ok::<_, Infallible>(answered.await) }
            });
            let serving = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::spawn(serving);
        }
    });
    format!("http://{address}")
}

/// Serves this text, and counts how often.
pub(crate) async fn serve_text(text: &'static str) -> (String, Arc<AtomicUsize>) {
    serve_status(200, text).await
}

pub(crate) async fn serve_status(status: u16, text: &'static str) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let url = serve(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        async move { Response::builder().status(status).body(Body::from(text)).unwrap() }
    })
    .await;
    (url, asked)
}

/// Stands for our server: passes everything on to `service`.
pub(crate) async fn serve_through(client: Client, service: Service) -> String {
    serve(move |request| {
        let (client, service) = (client.clone(), service.clone());
        async move {
            match call(&client, &service, request.map(Body::stream)).await {
                Ok(answer) => answer,
                Err(error) => {
                    Response::builder().status(error.status()).body(Body::from(error.to_string())).unwrap()
                }
            }
        }
    })
    .await
}

/// A TCP server that is not HTTP: it reads once from each connection, then does `act`.
pub(crate) async fn serve_raw<F, Act>(act: F) -> (String, Arc<AtomicUsize>)
where
    F: Fn(TcpStream) -> Act + Send + Sync + 'static,
    Act: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 4096];
            if stream.read(&mut head).await.is_ok() {
                tokio::spawn(act(stream));
            }
        }
    });
    (format!("http://{address}"), connections)
}

/// Answers with these bytes and closes.
pub(crate) async fn serve_bytes(bytes: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    serve_raw(move |mut stream| async move {
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
    })
    .await
}

/// An address that nobody listens at.
pub(crate) async fn dead() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A body whose chunks are sent in by the test.
pub(crate) fn channel() -> (mpsc::Sender<Frame<Bytes>>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    (sender, Body::stream(Channel(receiver)))
}

struct Channel(mpsc::Receiver<Frame<Bytes>>);

impl http_body::Body for Channel {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0.poll_recv(context).map(|frame| frame.map(Ok))
    }
}

/// So many bytes, made as they are asked for.
pub(crate) fn generated(bytes: u64) -> Body {
    static CHUNK: [u8; 64 * 1024] = [7; 64 * 1024];
    struct Generated(u64);
    impl http_body::Body for Generated {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            let length = self.0.min(CHUNK.len() as u64);
            self.0 -= length;
            let chunk = Bytes::from_static(&CHUNK[..usize::try_from(length).unwrap()]);
            Poll::Ready((length > 0).then(|| Ok(Frame::data(chunk))))
        }
    }
    Body::stream(Generated(bytes))
}

/// Takes connections and requests, and never answers.
pub(crate) async fn serve_silence() -> String {
    let silence = serve_raw(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    silence.await.0
}
