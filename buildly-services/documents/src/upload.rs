//! `PUT /documents/{id}/content/`

use std::sync::Arc;

use async_trait::async_trait;
use buildly_kit::{Body, Call, Caller, Error, Operation, Records, Stored, content_length, json};
use buildly_model::StoreError;
use http::header::{CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use uuid::Uuid;

use crate::content::Received;
use crate::{Content, Document, Version, remove};

/// How often the next number is taken by somebody faster before we give up.
const ATTEMPTS_MAX: u32 = 20;
const MEDIA_TYPE_BYTES_MAX: usize = 200;

/// Keeps a body as the newest version of a document.
pub(crate) struct Upload {
    pub(crate) content: Arc<Content>,
}

#[async_trait]
impl Operation for Upload {
    async fn answer(&self, records: &Records, call: Call) -> Result<Response<Body>, Error> {
        let (organization, document) = (call.caller.organization, call.id()?);
        let media_type = media_type(&call.headers)?;
        records.get_to_change::<Document>(&call.caller, document).await?;
        let received = self.content.receive(organization, content_length(&call.headers), call.body).await?;
        let (content, caller) = (Arc::clone(&self.content), call.caller);
        let keeping = keep(content, records.clone(), (caller, document), received, media_type);
        let (status, version) = records.finish(keeping).await??;
        let mut response = json(status, &version.show()?);
        if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", version.record.sha256)) {
            response.headers_mut().insert(ETAG, etag);
        }
        Ok(response)
    }
}

/// Puts a received file in place and makes its version; a file that is then not named goes.
async fn keep(
    content: Arc<Content>,
    records: Records,
    (caller, document): (Caller, Uuid),
    mut received: Received,
    media_type: String,
) -> Result<(StatusCode, Stored<Version>), Error> {
    let organization = caller.organization;
    let placing = content.placing(organization, &received.sha256);
    let kept = match content.place(organization, &mut received).await {
        Ok(()) => make_version(&records, (&caller, document), &received, &media_type).await,
        Err(error) => Err(error),
    };
    let is_unwanted = placing.release();
    if is_unwanted || !matches!(kept, Ok((StatusCode::CREATED, _))) {
        remove::forget(&content, &records, organization, &received.sha256).await;
    }
    kept
}

/// Makes the next version, unless the newest one has this content already.
async fn make_version(
    records: &Records,
    (caller, document): (&Caller, Uuid),
    received: &Received,
    media_type: &str,
) -> Result<(StatusCode, Stored<Version>), Error> {
    for _ in 0..ATTEMPTS_MAX {
        let newest = newest(records, caller, document).await?;
        let number = match newest {
            Some(newest)
                if newest.record.sha256 == received.sha256 && newest.record.media_type == media_type =>
            {
                return Ok((StatusCode::OK, newest));
            }
            Some(newest) => newest.record.number + 1,
            None => 1,
        };
        let version = Version {
            document,
            number,
            media_type: media_type.to_owned(),
            bytes: i64::try_from(received.bytes).unwrap_or(i64::MAX),
            sha256: received.sha256.clone(),
        };
        match records.make(caller, &version).await {
            Err(Error::Taken { .. } | Error::Store(StoreError::Stale)) => {}
            Err(Error::Invalid(_)) => return Err(Error::NotFound { what: "document" }), // deleted meanwhile
            made => return Ok((StatusCode::CREATED, made?)),
        }
    }
    Err(StoreError::Stale.into())
}

/// The version with the highest number, if the caller may see the document.
pub(crate) async fn newest(
    records: &Records,
    caller: &Caller,
    document: Uuid,
) -> Result<Option<Stored<Version>>, Error> {
    let query = format!("document={document}&ordering=-number&limit=1");
    Ok(records.select::<Version>(caller, &query).await?.into_iter().next())
}

fn media_type(headers: &HeaderMap) -> Result<String, Error> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok("application/octet-stream".to_owned()) };
    let text = value.to_str().ok().filter(|text| text.len() <= MEDIA_TYPE_BYTES_MAX);
    text.filter(|text| text.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty()))
        .map(str::to_owned)
        .ok_or_else(|| Error::field("Content-Type", "Expected a media type such as `application/pdf`."))
}
