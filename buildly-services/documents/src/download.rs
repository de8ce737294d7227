//! `GET /documents/{id}/content/` and `GET /versions/{id}/content/`

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use buildly_kit::{Body, Call, Error, Operation, Records, Stored};
use buildly_model::{OrganizationId, StoreError};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Frame, SizeHint};
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncSeekExt as _, ReadBuf, SeekFrom};

use crate::{Content, Version, range, upload};

const PIECE_BYTES: usize = 64 << 10;

/// Gives the newest content of a document.
pub(crate) struct Newest {
    pub(crate) content: Arc<Content>,
}

/// Gives the content of one version.
pub(crate) struct OfVersion {
    pub(crate) content: Arc<Content>,
}

#[async_trait]
impl Operation for Newest {
    async fn answer(&self, records: &Records, call: Call) -> Result<Response<Body>, Error> {
        let organization = call.caller.organization;
        let version = upload::newest(records, &call.caller, call.id()?).await?;
        let version = version.ok_or(Error::NotFound { what: "content" })?;
        send(&self.content, organization, &version, &call.headers).await
    }
}

#[async_trait]
impl Operation for OfVersion {
    async fn answer(&self, records: &Records, call: Call) -> Result<Response<Body>, Error> {
        let organization = call.caller.organization;
        let version = records.get::<Version>(&call.caller, call.id()?).await?;
        send(&self.content, organization, &version, &call.headers).await
    }
}

async fn send(
    content: &Content,
    organization: OrganizationId,
    version: &Stored<Version>,
    asked: &HeaderMap,
) -> Result<Response<Body>, Error> {
    let etag = format!("\"{}\"", version.record.sha256);
    let text = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    let has = |tag: &str| tag.trim().trim_start_matches("W/") == etag || tag.trim() == "*";
    if text(IF_NONE_MATCH).is_some_and(|tags| tags.split(',').any(has)) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        set(response.headers_mut(), ETAG, &etag);
        return Ok(response);
    }
    let length = u64::try_from(version.record.bytes).unwrap_or(0);
    // A range of another version would be joined to bytes that it does not belong to.
    let is_same = text(IF_RANGE).is_none_or(|tag| tag.trim() == etag);
    let wanted = range::parse(text(RANGE).filter(|_| is_same), length)?;
    let mut file = content.read(organization, &version.record.sha256).await?;
    let mut response = Response::new(Body::empty());
    let mut left = length;
    if let Some(range) = &wanted {
        file.seek(SeekFrom::Start(range.start)).await.map_err(StoreError::unavailable)?;
        left = range.end - range.start;
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let shown = format!("bytes {}-{}/{length}", range.start, range.end - 1);
        set(response.headers_mut(), CONTENT_RANGE, &shown);
    }
    let headers = response.headers_mut();
    set(headers, ETAG, &etag);
    set(headers, CONTENT_TYPE, &version.record.media_type);
    set(headers, CONTENT_LENGTH, &left.to_string());
    set(headers, ACCEPT_RANGES, "bytes");
    // What somebody uploaded is never run as a page of ours.
    set(headers, CONTENT_DISPOSITION, "attachment");
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    *response.body_mut() = Body::stream(FileBody { file, left, piece: vec![0; PIECE_BYTES] });
    Ok(response)
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Part of a file as a body, one piece in memory.
struct FileBody {
    file: File,
    left: u64,
    piece: Vec<u8>,
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let this = &mut *self;
        if this.left == 0 {
            return Poll::Ready(None);
        }
        let room = this.piece.len().min(usize::try_from(this.left).unwrap_or(usize::MAX));
        let mut buffer = ReadBuf::new(this.piece.get_mut(..room).unwrap_or_default());
        if let Err(error) = ready!(Pin::new(&mut this.file).poll_read(context, &mut buffer)) {
            return Poll::Ready(Some(Err(error)));
        }
        let bytes = Bytes::copy_from_slice(buffer.filled());
        if bytes.is_empty() {
            let reason = "the file is shorter than its version says";
            return Poll::Ready(Some(Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, reason))));
        }
        this.left -= bytes.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
