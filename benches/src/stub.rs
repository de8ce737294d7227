//! The service whose work the steps of all sides ask for; on a thread of its own, so that it takes
//! as little as it can of what all sides share.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::Failure;

/// What it answers: eleven bytes.
pub const ANSWER: &str = r#"{"ok":true}"#;

const DOCUMENT: &str = r#"{"openapi":"3.1.0","info":{"title":"Stub","version":"1"},"paths":{"/work":
{"post":{"operationId":"work","requestBody":{"content":{"application/json":{"schema":{"type":"object"}}}},
"responses":{"200":{"description":"OK"}}}}}}"#;

/// The service, on a port of its own.
pub struct Stub {
    /// Its port on 127.0.0.1.
    pub port: u16,
    calls: Arc<AtomicU64>,
}

impl Stub {
    /// Starts it.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start() -> Result<Self, Failure> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let calls = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&calls);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("stub".to_owned()).spawn(move || {
            runtime.block_on(async move {
                // A socket that listens is one to tokio, too.
                if let Ok(listener) = TcpListener::from_std(listener) {
                    serve(listener, counted).await;
                }
            });
        })?;
        Ok(Self { port, calls })
    }

    /// How often it has worked since it was last asked.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.swap(0, Ordering::Relaxed)
    }
}

async fn serve(listener: TcpListener, calls: Arc<AtomicU64>) {
    while let Ok((stream, _)) = listener.accept().await {
        // A peer that does not send at once is measured as it is.
        let _ = stream.set_nodelay(true);
        let calls = Arc::clone(&calls);
        let service = service_fn(move |request: Request<Incoming>| {
            let calls = Arc::clone(&calls);
            async move { Ok::<_, Infallible>(answer(&calls, request).await) }
        });
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move { drop(connection.await) });
    }
}

async fn answer(calls: &AtomicU64, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let is_work = request.uri().path() == "/work";
    // What cannot be read is answered all the same: the connection ends by itself.
    let _ = request.into_body().collect().await;
    let body = if is_work {
        calls.fetch_add(1, Ordering::Relaxed);
        ANSWER
    } else {
        DOCUMENT
    };
    let mut answer = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    let json = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(http::header::CONTENT_TYPE, json);
    answer
}
