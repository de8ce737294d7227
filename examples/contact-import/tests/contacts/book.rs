//! An address book that gives away what the test puts into it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::net::TcpListener;

#[derive(Clone)]
pub(crate) struct Book {
    pub(crate) address: String,
    /// Its status and its text.
    answer: Arc<Mutex<(u16, String)>>,
}

/// A card with a name and an address.
pub(crate) fn card(uid: &str, name: &str, email: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:{uid}\r\nFN:{name}\r\nEMAIL:{email}\r\nEND:VCARD\r\n")
}

impl Book {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/all.vcf", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new((200, String::new())));
        let shown = Arc::clone(&answer);
        let give = move || {
            let (status, text) = shown.lock().unwrap().clone();
            async move { give(status, text) }
        };
        let router = Router::new().route("/all.vcf", get(give));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, answer }
    }

    pub(crate) fn has(&self, cards: &[String]) {
        self.answers(200, &cards.concat());
    }

    pub(crate) fn answers(&self, status: u16, text: &str) {
        *self.answer.lock().unwrap() = (status, text.to_owned());
    }
}

fn give(status: u16, text: String) -> Response {
    (StatusCode::from_u16(status).unwrap(), [(CONTENT_TYPE, "text/vcard; charset=utf-8")], text)
        .into_response()
}
