//! The one streaming body of requests and responses.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt as _, Full, Limited, combinators::UnsyncBoxBody};

/// Why the bytes of a body stopped coming.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The error of [`Body::collect`] if there are more bytes than asked for.
pub use http_body_util::LengthLimitError as TooLong;

/// A stream of byte chunks; nothing buffers what it need not read.
///
/// ```
/// use buildly_model::Body;
/// use http_body::Body as _;
/// assert_eq!(Body::from("hello").size_hint().exact(), Some(5));
/// assert!(Body::empty().is_end_stream());
/// ```
pub struct Body(Inner);

enum Inner {
    Full(Full<Bytes>),
    Stream(UnsyncBoxBody<Bytes, BodyError>),
}

impl Body {
    /// A body without bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self(Inner::Full(Full::new(Bytes::new())))
    }

    /// Wraps somebody else's stream.
    pub fn stream<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        Self(Inner::Stream(body.map_err(Into::into).boxed_unsync()))
    }

    /// Reads the whole body, at most `bytes_max` of it.
    ///
    /// # Errors
    /// The stream's own error, or [`TooLong`] if there is more.
    pub async fn collect(self, bytes_max: usize) -> Result<Bytes, BodyError> {
        Ok(Limited::new(self, bytes_max).collect().await?.to_bytes())
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Inner::Full(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Inner::Stream(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Full(body) => body.is_end_stream(),
            Inner::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Full(body) => body.size_hint(),
            Inner::Stream(body) => body.size_hint(),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(Inner::Full(Full::new(bytes.into())))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Inner::Full(_) => "Body(bytes)",
            Inner::Stream(_) => "Body(stream)",
        })
    }
}
