//! Load that costs little: requests as bytes, answers compared as bytes, over connections that
//! are kept. What a client library costs would hide what a gateway costs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::report::Figure;
use crate::{Failure, usage};

/// No answer takes this long.
const PATIENCE: Duration = Duration::from_secs(20);
/// Answers have few headers.
const HEADERS_MAX: usize = 48;

/// What is asked of whom, and what a right answer is.
pub struct Questions {
    /// Whom.
    pub address: SocketAddr,
    /// Whole requests, head and body; asked in turn.
    pub requests: Vec<Vec<u8>>,
    /// What a right answer, with status 200 or 201, is.
    pub answer: Right,
    /// The process whose time on a core is measured.
    pub process: u32,
}

/// What the body of a right answer is.
#[derive(Debug, Clone)]
pub enum Right {
    /// These bytes.
    Is(Vec<u8>),
    /// Something with this text in it.
    Holds(&'static str),
}

impl Right {
    fn is(&self, body: &[u8]) -> bool {
        match self {
            Self::Is(bytes) => body == bytes,
            Self::Holds(text) => body.windows(text.len()).any(|window| window == text.as_bytes()),
        }
    }
}

/// How long it is asked.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// For so long, after a warm-up of a fifth of it.
    Time(Duration),
    /// Each question once, without a warm-up.
    AllAsked,
}

/// The text of a `GET`.
#[must_use]
pub fn get(path: &str, token: Option<&str>) -> Vec<u8> {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}\r\n").into_bytes()
}

/// The text of a `POST` of JSON.
#[must_use]
pub fn post(path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    post_of("application/json", path, token.map(|token| format!("Bearer {token}")).as_deref(), body)
}

/// The text of a `POST` of a form.
#[must_use]
pub fn post_form(path: &str, authorization: Option<&str>, body: &str) -> Vec<u8> {
    post_of("application/x-www-form-urlencoded", path, authorization, body)
}

/// The value of `Authorization` for `name:secret`.
#[must_use]
pub fn basic(client: &str) -> String {
    format!("Basic {}", STANDARD.encode(client))
}

fn post_of(kind: &str, path: &str, authorization: Option<&str>, body: &str) -> Vec<u8> {
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}Content-Type: {kind}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Asks once; status and body.
///
/// # Errors
/// If nothing, or nothing readable, comes.
pub async fn ask(address: SocketAddr, request: &[u8]) -> Result<(u16, Vec<u8>), Failure> {
    let mut connection = Connection::open(address).await?;
    let status = connection.ask(request).await?;
    Ok((status, connection.body().to_vec()))
}

/// So many connections ask, each again as soon as it has its answer.
///
/// # Errors
/// If it cannot be reached at all.
pub async fn measure(questions: Questions, at_once: usize, until: Until) -> Result<Figure, Failure> {
    let questions = Arc::new(questions);
    let next = Arc::new(AtomicUsize::new(0));
    let mut connections = Vec::new();
    for _ in 0..at_once {
        connections.push(Connection::open(questions.address).await?);
    }
    let (began, end) = match until {
        Until::Time(long) => (Instant::now() + long / 5, Some(Instant::now() + long + long / 5)),
        Until::AllAsked => (Instant::now(), None),
    };
    let mut callers = JoinSet::new();
    for connection in connections {
        callers.spawn(call(connection, Arc::clone(&questions), Arc::clone(&next), began, end));
    }
    tokio::time::sleep_until(began.into()).await;
    let (cpu, measured) = (usage::cpu(questions.process), Instant::now());
    let (mut took, mut bad) = (Vec::new(), 0);
    while let Some(done) = callers.join_next().await {
        let Ok((of_one, bad_of_one)) = done else { continue };
        took.extend(of_one);
        bad += bad_of_one;
    }
    let (used, seconds) =
        (usage::cpu(questions.process).saturating_sub(cpu), measured.elapsed().as_secs_f64());
    let count = took.len();
    let mut figure = Figure::of(took, bad, seconds);
    #[expect(clippy::cast_precision_loss, reason = "no figure is that exact")]
    let cpu_us = (count > 0).then(|| used.as_secs_f64() * 1e6 / count as f64);
    figure.cpu_us = cpu_us;
    Ok(figure)
}

async fn call(
    mut connection: Connection,
    questions: Arc<Questions>,
    next: Arc<AtomicUsize>,
    began: Instant,
    end: Option<Instant>,
) -> (Vec<f64>, u64) {
    let (mut took, mut bad) = (Vec::new(), 0);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let request = match end {
            Some(end) if Instant::now() >= end => break,
            Some(_) => questions.requests.get(number % questions.requests.len().max(1)),
            None => questions.requests.get(number),
        };
        let Some(request) = request else { break };
        let one = Instant::now();
        let answered = tokio::time::timeout(PATIENCE, connection.ask(request)).await;
        let is_right = matches!(answered, Ok(Ok(200 | 201))) && questions.answer.is(connection.body());
        if is_right {
            if one >= began {
                took.push(one.elapsed().as_secs_f64() * 1e3);
            }
            continue;
        }
        bad += 1;
        if !matches!(answered, Ok(Ok(_))) {
            // The connection is of no use any more.
            match Connection::open(questions.address).await {
                Ok(another) => connection = another,
                Err(_) => break,
            }
        }
    }
    (took, bad)
}

/// One connection, and the last answer on it.
pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    body_at: usize,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(16 * 1024), body_at: 0 })
    }

    /// The body of the last answer.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.read.get(self.body_at..).unwrap_or_default()
    }

    /// Sends a request and reads the whole answer; its status.
    ///
    /// # Errors
    /// If no whole answer comes.
    pub async fn ask(&mut self, request: &[u8]) -> Result<u16, Failure> {
        self.stream.write_all(request).await?;
        self.read.clear();
        loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(wrong("an answer", "the end of the connection"));
            }
            let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
            let mut answer = httparse::Response::new(&mut headers);
            let parsed = answer.parse(&self.read).map_err(Failure::http)?;
            let httparse::Status::Complete(head) = parsed else { continue };
            let status = answer.code.unwrap_or(0);
            let named = |name: &str| {
                answer
                    .headers
                    .iter()
                    .find(|header| header.name.eq_ignore_ascii_case(name))
                    .map(|found| found.value)
            };
            let length =
                named("content-length").and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
            let is_chunked = named("transfer-encoding").is_some();
            self.body_at = head;
            if is_chunked {
                return self.read_chunks(head).await.map(|()| status);
            }
            let length: usize = length.ok_or_else(|| wrong("a length", "none"))?;
            while self.read.len() < head + length {
                if self.stream.read_buf(&mut self.read).await? == 0 {
                    return Err(wrong("the whole answer", "a part"));
                }
            }
            return Ok(status);
        }
    }

    /// Reads the rest of a chunked answer and puts its pieces together.
    async fn read_chunks(&mut self, head: usize) -> Result<(), Failure> {
        let (mut body, mut at) = (Vec::new(), head);
        loop {
            let rest = self.read.get(at..).unwrap_or_default();
            if let Ok(httparse::Status::Complete((line, length))) = httparse::parse_chunk_size(rest) {
                let length = usize::try_from(length).map_err(Failure::http)?;
                if let Some(piece) = rest.get(line..line + length + 2) {
                    body.extend_from_slice(piece.get(..length).unwrap_or_default());
                    at += line + length + 2;
                    if length == 0 {
                        break;
                    }
                    continue;
                }
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(wrong("the whole answer", "a part"));
            }
        }
        self.read.truncate(head);
        self.read.extend_from_slice(&body);
        Ok(())
    }
}

fn wrong(expected: &'static str, got: &str) -> Failure {
    Failure::Wrong { expected, got: got.to_owned() }
}
