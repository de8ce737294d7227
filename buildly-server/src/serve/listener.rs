//! Where connections come from: TCP, TLS over TCP, or the folder's Unix socket.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// Where connections come from.
pub enum Listener {
    /// Plain TCP.
    Tcp(TcpListener),
    /// TLS; the newest certificates are used for each new connection.
    Tls(TcpListener, watch::Receiver<Arc<rustls::ServerConfig>>),
    /// A socket in the data folder, for commands on this machine.
    Unix(UnixListener),
}

/// A connection, not yet read.
pub enum Accepted {
    /// Plain TCP.
    Tcp {
        /// The connection.
        stream: TcpStream,
        /// Its other end.
        peer: SocketAddr,
    },
    /// TLS, before the handshake.
    Tls {
        /// The connection.
        stream: TcpStream,
        /// Its other end.
        peer: SocketAddr,
        /// What performs the handshake.
        acceptor: TlsAcceptor,
    },
    /// The Unix socket.
    Unix {
        /// The connection.
        stream: UnixStream,
    },
}

impl Listener {
    /// Waits for the next connection.
    ///
    /// # Errors
    /// What the system says; the listener stays good.
    pub async fn accept(&self) -> std::io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Accepted::Tcp { stream, peer })
            }
            Self::Tls(listener, configuration) => {
                let (stream, peer) = listener.accept().await?;
                let acceptor = TlsAcceptor::from(configuration.borrow().clone());
                Ok(Accepted::Tls { stream, peer, acceptor })
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Accepted::Unix { stream })
            }
        }
    }
}
