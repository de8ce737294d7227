//! The partner: an address book elsewhere, which gives its cards away over HTTP.

use std::time::Duration;

use async_trait::async_trait;
use buildly_core::extension::{Exchange, Partner, PartnerFault};
use buildly_core::gateway_http::Outbound;
use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, Uri};
use serde_json::{Value, json};

use crate::cards;

const TIMEOUT: Duration = Duration::from_secs(20);
/// What a feed may have: a run keeps what was fetched until it is written.
const FEED_BYTES_MAX: usize = 1 << 20;

/// An address book at an address.
pub(crate) struct AddressBook {
    pub(crate) address: Uri,
    pub(crate) network: Outbound,
}

#[async_trait]
impl Partner for AddressBook {
    fn name(&self) -> &str {
        "cards"
    }

    async fn exchange(&self, exchange: Exchange) -> Result<Value, PartnerFault> {
        let request = Request::get(&self.address).header(ACCEPT, "text/vcard").body(Bytes::new());
        let request = request.map_err(|error| PartnerFault::Refused(error.to_string()))?;
        let fetched = tokio::time::timeout(TIMEOUT, self.network.fetch(request, FEED_BYTES_MAX)).await;
        let late = || PartnerFault::Unavailable("the address book does not answer in time".to_owned());
        let answer = fetched.map_err(|_| late())?;
        let answer = answer.map_err(|error| PartnerFault::Unavailable(error.to_string()))?;
        let status = answer.status();
        if !status.is_success() {
            let told = format!("the address book answered {status}");
            let may_pass = status.is_server_error() || status.as_u16() == 429;
            return Err(if may_pass { PartnerFault::Unavailable(told) } else { PartnerFault::Refused(told) });
        }
        let text = std::str::from_utf8(answer.body())
            .map_err(|_| PartnerFault::Refused("the feed is no text in UTF-8".to_owned()))?;
        Ok(json!(cards::read(text, exchange.organization.as_uuid())))
    }
}
