use http_body_util::BodyExt as _;

use super::*;

fn chunks(count: usize, bytes: usize) -> Body {
    Body::stream(Chunks { left: count, bytes })
}

struct Chunks {
    left: usize,
    bytes: usize,
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(vec![u8::try_from(self.left).unwrap(); self.bytes].into()))))
    }
}

fn tape(body: Body, is_repeatable: bool) -> Tape {
    Tape::new(body, is_repeatable, Progress::default())
}

#[tokio::test]
async fn a_short_body_is_sent_again_from_its_start() {
    let tape = tape(chunks(4, 10), true);
    let mut first = tape.play().unwrap();
    for _ in 0..2 {
        first.frame().await.unwrap().unwrap();
    }
    assert!(tape.play().is_none(), "it is still being sent");
    drop(first);
    let again = tape.play().unwrap().collect().await.unwrap().to_bytes();
    assert_eq!(again, [[3; 10], [2; 10], [1; 10], [0; 10]].concat());
    let third = tape.play().unwrap();
    assert_eq!(third.size_hint().lower(), 40);
    assert_eq!(third.collect().await.unwrap().to_bytes(), again);
}

#[tokio::test]
async fn a_long_body_is_not_gathered_and_not_sent_again() {
    let tape = tape(chunks(100, 1024), true);
    let mut first = tape.play().unwrap();
    for _ in 0..65 {
        first.frame().await.unwrap().unwrap();
    }
    drop(first);
    assert!(tape.play().is_none());
}

#[tokio::test]
async fn what_must_not_be_repeated_is_sent_again_only_if_nobody_touched_it() {
    let tape = tape(chunks(2, 10), false);
    drop(tape.play().unwrap());
    let mut second = tape.play().unwrap();
    second.frame().await.unwrap().unwrap();
    drop(second);
    assert!(tape.play().is_none());
}

#[tokio::test]
async fn an_empty_body_is_always_sent_again() {
    let tape = tape(Body::empty(), false);
    for _ in 0..3 {
        let playing = tape.play().unwrap();
        assert!(playing.is_end_stream());
        assert_eq!(playing.size_hint().exact(), Some(0));
    }
}

#[tokio::test]
async fn a_caller_that_breaks_off_is_told_from_a_service_that_does() {
    let tape = tape(Body::stream(Broken), true);
    assert!(!tape.is_broken());
    assert!(tape.play().unwrap().collect().await.is_err());
    assert!(tape.is_broken());
}

struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Poll::Ready(Some(Err("gone".into())))
    }
}
