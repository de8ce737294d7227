//! A small mail server (RFC 5321), with STARTTLS (RFC 3207) and AUTH PLAIN (RFC 4954).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// What a mail server is like.
#[derive(Clone, Default)]
pub struct Manners {
    /// It offers and demands encryption.
    pub is_encrypted: bool,
    /// It demands this sign-in, as AUTH PLAIN sends it.
    pub sign_in: Option<&'static str>,
    /// How many sessions it turns away for now before it takes one.
    pub turned_away: u32,
    /// It takes no mail to anybody, for good.
    pub refuses: bool,
}

/// A message that came in.
#[derive(Debug)]
pub struct Received {
    pub to: String,
    pub text: String,
    pub was_encrypted: bool,
    pub was_signed_in: bool,
}

/// A running mail server.
pub struct SmtpServer {
    pub port: u16,
    pub received: mpsc::UnboundedReceiver<Received>,
    sessions: Arc<AtomicU32>,
}

/// Ends a session: nothing more is said.
type Session = Result<(), std::io::Error>;

impl SmtpServer {
    /// Starts one; its certificate is written to the folder.
    pub async fn start(folder: &Path, manners: Manners) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(authority(folder), cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = mpsc::unbounded_channel();
        let sessions = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&sessions);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let talk = Talk { manners: manners.clone(), sender: sender.clone(), was_encrypted: false };
                tokio::spawn(talk.greet(stream, number, acceptor.clone()));
            }
        });
        Self { port, received, sessions }
    }

    /// How many sessions began.
    pub fn sessions(&self) -> u32 {
        self.sessions.load(Ordering::SeqCst)
    }
}

/// Where the certificate is.
pub fn authority(folder: &Path) -> PathBuf {
    folder.join("authority.pem")
}

struct Talk {
    manners: Manners,
    sender: mpsc::UnboundedSender<Received>,
    was_encrypted: bool,
}

impl Talk {
    async fn greet(
        mut self,
        mut stream: tokio::net::TcpStream,
        number: u32,
        acceptor: TlsAcceptor,
    ) -> Session {
        if number < self.manners.turned_away {
            return stream.write_all(b"421 too busy\r\n").await;
        }
        stream.write_all(b"220 localhost\r\n").await?;
        if !self.manners.is_encrypted {
            return self.talk(stream).await;
        }
        let mut reader = BufReader::new(&mut stream);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let answer = match line.trim_end() {
                "STARTTLS" => break,
                line if line.starts_with("EHLO") => "250-localhost\r\n250 STARTTLS\r\n",
                _ => "530 encrypt first\r\n",
            };
            reader.get_mut().write_all(answer.as_bytes()).await?;
        }
        stream.write_all(b"220 go on\r\n").await?;
        self.was_encrypted = true;
        self.talk(acceptor.accept(stream).await?).await
    }

    async fn talk(self, stream: impl AsyncRead + AsyncWrite + Unpin) -> Session {
        let mut stream = BufReader::new(stream);
        let (mut to, mut was_signed_in) = (String::new(), false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            let answer = match line.split([' ', ':']).next().unwrap() {
                "EHLO" => "250-localhost\r\n250 AUTH PLAIN",
                "AUTH" if self.manners.sign_in.is_some_and(|wanted| line.ends_with(wanted)) => {
                    was_signed_in = true;
                    "235 welcome"
                }
                "AUTH" => "535 who are you",
                "MAIL" if self.manners.sign_in.is_some() && !was_signed_in => "530 sign in first",
                "RCPT" if self.manners.refuses => "550 nobody of that name",
                "RCPT" => {
                    to = line.to_owned();
                    "250 fine"
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let mut text = String::new();
                    while !text.ends_with("\r\n.\r\n") {
                        stream.read_line(&mut text).await?;
                    }
                    let was_encrypted = self.was_encrypted;
                    drop(self.sender.send(Received { to: to.clone(), text, was_encrypted, was_signed_in }));
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }
}
