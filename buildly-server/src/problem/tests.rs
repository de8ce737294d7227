use buildly_model::{Body, StoreError};

use super::*;

async fn body(response: Response) -> Value {
    let body: Body = response.into_http().into_body();
    serde_json::from_slice(&body.collect(10_000).await.unwrap()).unwrap()
}

#[tokio::test]
async fn field_errors_stand_under_errors_and_flat_for_existing_forms() {
    let errors = || {
        vec![
            FieldError::new("email", "Enter an address."),
            FieldError::new("title", "Choose one."),
            FieldError::new("email", "Too long."),
        ]
    };
    let new = body(Problem::fields(errors()).into_response(false)).await;
    assert_eq!(new["errors"], json!({"email": ["Enter an address.", "Too long."], "title": ["Choose one."]}));
    assert!(new.get("email").is_none());

    let flat = body(Problem::fields(errors()).into_response(true)).await;
    assert_eq!(flat["email"], json!(["Enter an address.", "Too long."]));
    assert_eq!(flat["title"], "Invalid input", "a problem's own name is never overwritten");
    assert_eq!(flat["errors"]["title"], json!(["Choose one."]));
}

#[test]
fn a_wait_is_rounded_up_to_whole_seconds() {
    let problem = Problem::limited("Wait.").retry_after(Duration::from_millis(1200));
    let response = problem.into_response(false).into_http();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[RETRY_AFTER], "2");
}

#[tokio::test]
async fn the_cause_of_a_fault_of_ours_is_never_sent() {
    let cause = std::io::Error::other("password=hunter2");
    for error in [StoreError::unavailable(cause), StoreError::corrupt("row 7 of table user")] {
        let text = body(Problem::from(error).into_response(true)).await.to_string();
        assert!(!text.contains("hunter2") && !text.contains("table user"), "{text}");
    }
}

#[test]
fn not_signed_in_says_how_to_sign_in() {
    let response = Problem::unauthenticated("Sign in.").into_response(false).into_http();
    assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer realm=\"buildly\"");
}
