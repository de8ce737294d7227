//! Performs the gateway's calls over HTTP.
