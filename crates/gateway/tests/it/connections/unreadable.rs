//! What is not HTTP, or not HTTP that anybody has to read.

use crate::support::binary::Binary;
use crate::support::raw::exchange;
use crate::support::stores::Stores;

#[actix_web::test]
async fn whoever_sends_what_is_no_request_does_not_fill_the_log() {
    let stores = Stores::new(&["us"]);
    let mut gateway = Binary::serve(&stores, &[]).await;
    for _ in 0..20 {
        for garbage in
            ["x\r\n\r\n", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n"]
        {
            let (status, _, _) = exchange(gateway.address, garbage.as_bytes()).await;
            assert_eq!(status, 400);
        }
    }
    gateway.terminate();
    assert!(gateway.end().await.success());
    let log = gateway.log();
    let loud: Vec<&str> = log
        .lines()
        .filter(|line| {
            line.contains("\"ERROR\"") || line.contains("\"WARN\"") || line.contains("actix")
        })
        .collect();
    assert!(loud.is_empty(), "{loud:#?}");
}
