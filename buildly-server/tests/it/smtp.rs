//! Mail leaves by SMTP, is tried again, and is never lost in silence.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::process::{Folder, Serving, Storage, command};
use crate::smtp_server::{Manners, Received, SmtpServer, authority};

const PATIENCE: Duration = Duration::from_secs(60);
/// `\0mailer\0hunter22` in Base64, as AUTH PLAIN sends it.
const SIGN_IN: &str = "AG1haWxlcgBodW50ZXIyMg==";

/// A server that sends by this port, as a process; its log goes to the file `log`.
fn serve(folder: &Folder, port: u16, more: &[(&str, &str)]) -> Serving {
    let mut serve = command(&folder.0, &["serve", "--listen", "127.0.0.1:0", "--log-level", "debug"]);
    serve.env("BUILDLY_SMTP_HOST", "localhost").env("BUILDLY_SMTP_PORT", port.to_string());
    serve.envs(more.iter().copied());
    Serving::logging_to(serve, &folder.0.join("log"))
}

async fn ask_for_a_reset(server: &Serving) {
    server
        .client()
        .post("/coreuser/reset_password/", &json!({"email": "root@example.org"}))
        .await
        .expect(200);
}

async fn next(mail: &mut SmtpServer) -> Received {
    timeout(PATIENCE, mail.received.recv()).await.expect("mail comes").unwrap()
}

/// The secret part of the link in a message.
fn secret_of(text: &str) -> String {
    let text = text.replace("=\r\n", "").replace("=3D", "=");
    let link = text.split_whitespace().find(|word| word.starts_with("http")).expect("a link").to_owned();
    link.split(['/', '=', '&']).rfind(|part| !part.is_empty()).unwrap().to_owned()
}

fn kept(folder: &Folder) -> Vec<String> {
    let files = std::fs::read_dir(folder.0.join("data/mail")).unwrap();
    files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_leaves_encrypted_and_signed_in_at_the_second_try() {
    let folder = Folder::new();
    Storage::sqlite().create_root(&folder.0);
    let manners =
        Manners { is_encrypted: true, sign_in: Some(SIGN_IN), turned_away: 1, ..Manners::default() };
    let mut mail = SmtpServer::start(&folder.0, manners).await;
    let path = authority(&folder.0).display().to_string();
    let server = serve(
        &folder,
        mail.port,
        &[
            ("BUILDLY_SMTP_USERNAME", "mailer"),
            ("BUILDLY_SMTP_PASSWORD", "hunter22"),
            ("BUILDLY_SMTP_AUTHORITIES", &path),
        ],
    );
    ask_for_a_reset(&server).await;
    let received = next(&mut mail).await;
    assert!(received.was_encrypted && received.was_signed_in, "{received:?}");
    assert!(received.to.contains("root@example.org"), "{}", received.to);
    assert_eq!(mail.sessions(), 2, "turned away once, then taken");
    assert_eq!(server.terminate().code(), Some(0));
    assert_eq!(kept(&folder), Vec::<String>::new(), "what was sent is kept nowhere");
    let log = std::fs::read_to_string(folder.0.join("log")).unwrap();
    assert!(log.contains("mail could not be sent") && log.contains("mail sent"), "{log}");
    for secret in ["hunter22", SIGN_IN, &secret_of(&received.text)] {
        assert!(!log.contains(secret), "`{secret}` is in the log:\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_leaves_in_the_clear_only_where_that_is_set() {
    let folder = Folder::new();
    Storage::sqlite().create_root(&folder.0);
    let mut mail = SmtpServer::start(&folder.0, Manners::default()).await;
    let server = serve(&folder, mail.port, &[("BUILDLY_SMTP_ENCRYPTION", "none")]);
    ask_for_a_reset(&server).await;
    let received = next(&mut mail).await;
    assert!(!received.was_encrypted && received.text.contains("Subject: "), "{received:?}");
    assert_eq!(server.terminate().code(), Some(0));

    let server = serve(&folder, mail.port, &[]);
    ask_for_a_reset(&server).await;
    assert_eq!(server.terminate().code(), Some(0));
    assert!(mail.received.try_recv().is_err(), "nothing goes in the clear without being told to");
    assert_eq!(kept(&folder).len(), 1, "it is kept for the operator");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_that_nobody_takes_becomes_a_file() {
    let folder = Folder::new();
    Storage::sqlite().create_root(&folder.0);
    let mail = SmtpServer::start(&folder.0, Manners { refuses: true, ..Manners::default() }).await;
    let server = serve(&folder, mail.port, &[("BUILDLY_SMTP_ENCRYPTION", "none")]);
    ask_for_a_reset(&server).await;
    for _ in 0..1000 {
        if !kept(&folder).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((kept(&folder).len(), mail.sessions()), (1, 1), "refused for good: not tried again");
    assert_eq!(server.terminate().code(), Some(0));

    // Where nobody answers, a stop waits a moment, and what has not left becomes files.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = serve(&folder, nobody.local_addr().unwrap().port(), &[]);
    for _ in 0..3 {
        ask_for_a_reset(&server).await;
    }
    assert_eq!(server.terminate().code(), Some(0));
    let kept = kept(&folder);
    assert_eq!(kept.len(), 4);
    let log = std::fs::read_to_string(folder.0.join("log")).unwrap();
    assert!(log.contains("the deployment closes") && log.contains(".eml"), "{log}");
    for message in kept {
        assert!(!log.contains(&secret_of(&message)), "{log}");
    }
}
