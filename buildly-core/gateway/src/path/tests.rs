use super::*;

#[test]
fn a_path_that_could_be_read_as_another_is_refused() {
    for path in [
        "/a/../b",
        "/a/./b",
        "/..",
        "/a/%2e%2e/b",
        "/a/%2E./b",
        "/a/..%2fb",
        "/a/b%2f..",
        "/a/..%5cb",
        "/a/b%2f.%2fc",
        "/a/..;/b",
        "/a/..;x=1/b",
        "/a/.;/b",
        "/a/%2e%2e%3b/b",
        "/a/x%2f..;y",
        "/a/%00",
        "/a/%zz",
        "/a/%2",
        "/a/%",
        "*",
        "",
    ] {
        assert!(matches!(check(path), Err(Error::InvalidPath { .. })), "{path} was taken");
    }
}

#[test]
fn an_ordinary_path_is_taken_as_it_is() {
    for path in [
        "/",
        "/a",
        "/a/b/",
        "/a/..b/c..",
        "/a/...",
        "/a%2Fb",
        "/%C3%A4/%ff",
        "/a//b",
        "/a;b=c/d,e",
        "/a;..",
        "/a/;b",
    ] {
        assert!(check(path).is_ok(), "{path} was refused");
    }
}

#[test]
fn decoding_allocates_only_where_there_is_something_to_decode() {
    assert!(matches!(decode("plain"), Cow::Borrowed(b"plain")));
    assert_eq!(decode("a%20b%2Fc").as_ref(), b"a b/c");
    assert_eq!(decode("100%").as_ref(), b"100%");
    assert_eq!(decode("%zz%4").as_ref(), b"%zz%4");
}
