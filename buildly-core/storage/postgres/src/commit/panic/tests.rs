use super::*;

#[tokio::test]
async fn a_panic_after_waiting_becomes_its_message() {
    let number = 7;
    let panics = async {
        tokio::task::yield_now().await;
        assert_ne!(number, 7, "a mistake");
    };
    assert!(caught(panics).await.unwrap_err().contains("a mistake"));
    assert_eq!(caught(async { number }).await, Ok(7));
}
