//! What a logic service needs: records, OpenAPI, token check, storage.
